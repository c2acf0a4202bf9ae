"""Training: recipes, networks, augmentation, Lightning's loop, reports, and export (extra ``train``)."""

from facemood.errors import require

require("torch", extra="train")

from facemood.train.networks.backbones import declare_operators  # noqa: E402 - torch is required first

declare_operators()  # before anything imports torchvision, as Lightning does if it is installed

for _module in ("lightning", "onnx", "onnxscript", "matplotlib", "markdown_it"):
    require(_module, extra="train")

from facemood.train.fit import fit, load_trained  # noqa: E402
from facemood.train.recipe import Recipe  # noqa: E402
from facemood.train.recipe_file import list_recipes, load_recipe  # noqa: E402
from facemood.train.run_report import write_report  # noqa: E402
from facemood.train.trainer import Hardware  # noqa: E402

__all__ = ["Hardware", "Recipe", "fit", "list_recipes", "load_recipe", "load_trained", "write_report"]
