"""The network (needs torch): encoder, label-wise attention heads, loss, and the base encoder."""
