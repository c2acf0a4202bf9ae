"""``facemood models``: list the models of the package and show their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.arguments import Precision
from facemood.cli.terminal import Json, print_json, show_page, show_table
from facemood.defaults import DEFAULT_PRECISION

if TYPE_CHECKING:
    from facemood.models import ModelCard

app: typer.Typer = typer.Typer(help="List the models and show their cards.", invoke_without_command=True)


@app.callback()
def list_all(context: typer.Context, json: Json = False) -> None:
    """List the models of the package."""
    if context.invoked_subcommand is not None:
        return
    from facemood.models import ModelSession, find_model, list_models, list_parts

    cards = [(file, ModelSession(file, device="cpu").card) for file in map(find_model, [*list_models(), *list_parts()])]
    if json:
        print_json(
            [{"name": card.name, "task": card.task, "heads": card.heads, "file": str(file)} for file, card in cards]
        )
        return
    show_table(("model", "description"), ((card.name, _describe(card, file.stat().st_size)) for file, card in cards))


def _describe(card: ModelCard, size: int) -> str:
    """Return a card's description and main facts as lines of text.

    Args:
        card: The model's card.
        size: Size of the model file, in bytes.
    """
    width, height = card.input_size
    pixels = f"{width} distances" if card.task == "vector" else f"{width}x{height} {card.colour}"
    outputs = ", ".join(f"{head} ({len(channels)})" for head, channels in card.heads.items())
    return (
        f"{card.description}\n"
        f"task: {card.task}; input: {pixels}; outputs: {outputs}\n"
        f"{_megabytes(size)}; licence: {card.licence}\n"
    )


def _megabytes(size: int) -> str:
    """Return a file size in MB, or in kB below 100 kB.

    Example:
        >>> _megabytes(4_500_000), _megabytes(15_460)
        ('4.5 MB', '15 kB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(help="A name from `facemood models`, or an .onnx file.")],
    precision: Precision = DEFAULT_PRECISION,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the card as a Markdown page on stdout.")] = False,
) -> None:
    """Show a model's card.

    The card has the labels, input, training data, figures and limits of the model.
    """
    import dataclasses

    from facemood.models import ModelSession, find_model
    from facemood.models.card_markdown import card_page

    card = ModelSession(find_model(model, precision=precision), device="cpu").card
    if json:
        print_json(dataclasses.asdict(card))
    elif markdown:
        typer.echo(card_page(card), nl=False)
    else:
        show_page(card_page(card))
