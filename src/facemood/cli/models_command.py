"""``facemood models``: what is inside the package, and what its cards say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.terminal import Json, print_json, show_page

if TYPE_CHECKING:
    from facemood.models import ModelCard

app: typer.Typer = typer.Typer(help="List the models, or show one's card.", invoke_without_command=True)


@app.callback()
def list_all(context: typer.Context, json: Json = False) -> None:
    """List the models inside the package."""
    if context.invoked_subcommand is not None:
        return
    from facemood.models import ModelSession, find_model, list_models, list_parts

    cards = [(file, ModelSession(file, device="cpu").card) for file in map(find_model, [*list_models(), *list_parts()])]
    if json:
        print_json(
            [{"name": card.name, "task": card.task, "heads": card.heads, "file": str(file)} for file, card in cards]
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "task", "gives", "input", "size", "licence", "what it is", box=None, header_style="bold")
    for file, card in cards:
        heads = "\n".join(f"{head}: {_count(labels, card.task)}" for head, labels in card.heads.items())
        size = f"{file.stat().st_size / 1e6:.1f} MB"
        table.add_row(
            card.name,
            card.task,
            heads,
            _input(card),
            size,
            card.licence,
            card.description,
        )
    Console(stderr=True).print(table)


def _input(card: ModelCard) -> str:
    """Say what goes in."""
    width, height = card.input_size
    return f"{width} distances" if card.task == "vector" else f"{width}x{height} {card.colour}"


def _count(channels: tuple[str, ...], task: str) -> str:
    """Say how much an output holds."""
    return f"{len(channels)} {'expressions' if task in ('expression', 'vector') else 'numbers'}"


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(help="A model's name, or an .onnx file.")],
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the card as a Markdown page on stdout.")] = False,
) -> None:
    """Show a model's card: labels, input, training data, figures, limits."""
    import dataclasses

    from facemood.models import ModelSession, find_model
    from facemood.models.card_markdown import card_page

    card = ModelSession(find_model(model), device="cpu").card
    if json:
        print_json(dataclasses.asdict(card))
    elif markdown:
        typer.echo(card_page(card), nl=False)
    else:
        show_page(card_page(card))
