"""Training under noise, from recipes."""

from simplicert.training.accuracy import measure_accuracy
from simplicert.training.loop import train
from simplicert.training.progress import Progress, Watcher
from simplicert.training.recipe import Recipe, built_in_recipes, load_recipe

__all__ = [
    "Progress",
    "Recipe",
    "Watcher",
    "built_in_recipes",
    "load_recipe",
    "measure_accuracy",
    "train",
]
