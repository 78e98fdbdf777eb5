"""What a trained network must beat: the prior, word lists, linear models on n-grams and on frozen embeddings."""

from reclamo.baselines.predictor import Array, Predictor, prior_logits

__all__ = ["Array", "Predictor", "prior_logits"]
