"""What a trained network must beat: the prior, word lists, linear models on n-grams and on embeddings, frozen or tuned on pairs."""

from reclamo.baselines.predictor import Array, Predictor, prior_logits

__all__ = ["Array", "Predictor", "prior_logits"]
