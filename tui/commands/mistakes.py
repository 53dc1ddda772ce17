"""`mnist-tui mistakes`: the test digits that a run gets wrong, two runs laid over each other, and doubtful labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from engine.classes import class_names_of, find_class
from engine.selection import ORDERS, Cell, Order
from tui.commands.offers import offer_classes, offer_files, offer_runs
from tui.commands.options import (
    add_row,
    json_option,
    make_table,
    notify,
    open_store,
    output_width,
    print_json,
    print_table,
    store_option,
)
from tui.formats import count, percent
from tui.settings import absolute_path

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers
    from engine.data import Dataset
    from engine.overlay import Overlay
    from engine.runs import Run, Store
    from engine.suspects import Inquest

LISTED = 20
"""Without --csv and --json, so many mistakes are listed; the rest is counted."""


@click.command(short_help="List the test digits that a run gets wrong.")
@click.argument("reference", metavar="RUN", required=False, shell_complete=offer_runs)
@click.option("--epoch", type=click.IntRange(min=1), help="After this epoch. Default: the last.")
@click.option(
    "--true", "true", metavar="CLASS", shell_complete=offer_classes, help="Only images of this class: 4, or Coat."
)
@click.option("--predicted", metavar="CLASS", shell_complete=offer_classes, help="Only images taken for this class.")
@click.option("--sort", "order", type=click.Choice(ORDERS), default="loss", show_default=True, help="The order.")
@click.option(
    "--csv",
    "csv_file",
    metavar="FILE",
    shell_complete=offer_files,
    help="Write them as CSV; - is standard output.",
)
@click.option(
    "--png",
    "png_file",
    metavar="FILE",
    shell_complete=offer_files,
    help="Write them as a contact sheet, with torchvision.",
)
@click.option(
    "--against",
    metavar="RUN2",
    shell_complete=offer_runs,
    help="Lay another run over it, as it answered after its last epoch.",
)
@click.option("--all-runs", is_flag=True, help="List what every run, sure of itself, gets wrong: doubtful labels.")
@store_option
@json_option
def mistakes(reference: str | None, store_path: str | None, as_json: bool, all_runs: bool, **options: Any) -> None:
    """List the test digits that RUN (an id, the beginning of one, a name, or "last") gets wrong.

    With --all-runs, RUN only says which images: those it was tested on (default: the newest run's).
    """
    store = open_store(store_path)
    if all_runs:
        if given := [name for name, value in options.items() if value is not None and name != "order"]:
            raise click.UsageError(f"--all-runs does not go together with --{given[0].removesuffix('_file')}.")
        _list_suspects(store, store.find(reference or "last"), as_json)
    elif reference is None:
        raise click.UsageError("Missing argument 'RUN'. (Or --all-runs.)")
    else:
        _list_mistakes(store, store.find(reference), as_json, **options)


def _list_mistakes(
    store: Store,
    run: Run,
    as_json: bool,
    epoch: int | None,
    true: str | None,
    predicted: str | None,
    order: Order,
    csv_file: str | None,
    png_file: str | None,
    against: str | None,
) -> None:
    from engine.selection import in_order, select

    dataset = _dataset_of(run)
    names = class_names_of(dataset.info)
    true_class, answer = (None if text is None else find_class(text, names) for text in (true, predicted))
    epoch, answers = _answers_of(run, epoch, dataset)
    chosen = in_order(answers, select(answers, Cell(true_class, answer)), order)
    overlay = _lay_over(run, answers, store.find(against), dataset) if against else None
    second = overlay.second if overlay else None
    wrote = _write_files(csv_file, png_file, dataset, answers, chosen, second)
    if csv_file == "-":
        return
    if as_json:
        print_json(_description(run, epoch, answers, names, chosen, overlay))
        return
    click.echo(f"{run.id} after epoch {epoch}: {_share(answers)}")
    if not wrote:
        _print_matrix(answers, names)
    if overlay:
        _print_overlay(overlay)
    if not wrote:
        _print_list(answers, names, chosen, second)


def _write_files(
    csv_file: str | None,
    png_file: str | None,
    dataset: Dataset,
    answers: Answers,
    chosen: np.ndarray,
    second: Answers | None,
) -> bool:
    """Write the files that are wanted; return whether any is."""
    from engine.export import csv_text, save_contact_sheet, save_csv

    if csv_file == "-":
        click.echo(csv_text(answers, chosen, second), nl=False)
    elif csv_file:
        save_csv(absolute_path(csv_file), answers, chosen, second)
        notify(f"Wrote {count(len(chosen))} rows to {csv_file}")
    if png_file and not len(chosen):
        notify(f"No digits to draw, so there is no {png_file}")
    elif png_file:
        drawn = save_contact_sheet(absolute_path(png_file), dataset.test_images, answers, chosen)
        left_out = f" of {count(len(chosen))}" if drawn < len(chosen) else ""
        notify(f"Drew {count(drawn)}{left_out} digits in {png_file}")
    return bool(csv_file or png_file)


def _dataset_of(run: Run) -> Dataset:
    from tui.datasets import dataset_of

    return dataset_of(run.config, run.progress().started)


def _answers_of(run: Run, epoch: int | None, dataset: Dataset) -> tuple[int, Answers]:
    """Return what `run` answered after `epoch` (default: the last one), with the number of that epoch."""
    from engine.answers import load_answers, no_predictions
    from engine.evaluation import predicted_epochs

    epochs = predicted_epochs(run.predictions_path)
    if not epochs or (epoch is not None and epoch not in epochs):
        raise no_predictions(run, epochs, epoch)
    epoch = epoch or epochs[-1]
    return epoch, load_answers(run, epoch, dataset)


def _lay_over(run: Run, answers: Answers, other: Run, dataset: Dataset) -> Overlay:
    from engine.answers import check_dataset
    from engine.overlay import Overlay

    check_dataset(other.progress().started, dataset)
    return Overlay(answers, _answers_of(other, None, dataset)[1])


def _share(answers: Answers) -> str:
    """Say how many are wrong: `237 of 10,000 wrong (2.37 %)`."""
    wrong, tested = len(answers.mistakes), len(answers.labels)
    return f"{count(wrong)} of {count(tested)} wrong ({percent(wrong / tested)})"


def _print_matrix(answers: Answers, class_names: Sequence[str]) -> None:
    """Print the confusion matrix with its totals and every class's scores, in blocks where the terminal is narrow."""
    from engine.scores import class_scores
    from tui.matrix_layout import lay_out

    matrix, scores = answers.confusion_matrix.tolist(), class_scores(answers)
    click.echo("\nRows: the true class; columns: the prediction; rec: recall; prec: precision.")
    first = 0
    while first < len(class_names):
        layout = lay_out(matrix, class_names, output_width(), first=first)
        lines = [layout.heading(), *(layout.row(row, scores) for row in range(len(matrix))), layout.totals()]
        for number, line in enumerate(lines):
            click.echo(click.style("".join(line).rstrip(), bold=True if number == 0 else None))
        first = layout.first + layout.shown
    if layout.numbered or not layout.is_whole:
        click.echo("\nA wider terminal shows more; --json has everything.")


def _print_overlay(overlay: Overlay) -> None:
    table = make_table("wrong in", "images", right=("images",))
    for where, found in (
        ("both", overlay.both_wrong),
        ("only the first", overlay.only_first_wrong),
        ("only the second", overlay.only_second_wrong),
    ):
        add_row(table, where, count(len(found)))
    click.echo("")
    print_table(table)
    click.echo(f"McNemar's test: {overlay.verdict()}")


def _print_list(answers: Answers, class_names: Sequence[str], chosen: np.ndarray, second: Answers | None) -> None:
    columns = ("image", "true", "predicted", "confidence", "loss")
    names = ("true", "predicted", "second says")
    table = make_table(
        *columns,
        *(["second says"] if second else ()),
        right=("image", "confidence", "loss", *(names if _are_short(class_names) else ())),
    )
    for index in chosen[:LISTED].tolist():
        row = [count(index), class_names[answers.labels[index]], class_names[answers.predicted[index]]]
        row += [percent(answers.confidence[index], 1), f"{answers.loss[index]:.2f}"]
        add_row(table, *row, *([class_names[second.predicted[index]]] if second else ()))
    click.echo("")
    if not len(chosen):
        click.echo("None of the mistakes is of this kind." if len(answers.mistakes) else "Not a single mistake.")
        return
    print_table(table)
    if len(chosen) > LISTED:
        click.echo(f"… and {count(len(chosen) - LISTED)} more: --csv FILE has them all.")


def _are_short(class_names: Sequence[str]) -> bool:
    """Whether the names are digits or letters, which stand at the right of a column like figures."""
    return max(map(len, class_names)) == 1


def _description(
    run: Run,
    epoch: int,
    answers: Answers,
    class_names: Sequence[str],
    chosen: np.ndarray,
    overlay: Overlay | None,
) -> dict[str, Any]:
    """Return what `mistakes --json` prints."""
    from engine.scores import class_scores

    scores = class_scores(answers)
    description = {
        "run": run.id,
        "epoch": epoch,
        "tested": len(answers.labels),
        "wrong": len(answers.mistakes),
        "class_names": class_names,
        "confusion_matrix": answers.confusion_matrix.tolist(),
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "mistakes": [_mistake(answers, index, overlay) for index in chosen.tolist()],
    }
    if overlay:
        description["overlay"] = {
            "both_wrong": overlay.both_wrong.tolist(),
            "only_first_wrong": overlay.only_first_wrong.tolist(),
            "only_second_wrong": overlay.only_second_wrong.tolist(),
            "p_value": overlay.p_value,
            "verdict": overlay.verdict(),
        }
    return description


def _mistake(answers: Answers, index: int, overlay: Overlay | None) -> dict[str, Any]:
    second = {"predicted_2": int(overlay.second.predicted[index])} if overlay else {}
    return {
        "index": index,
        "true": int(answers.labels[index]),
        "predicted": int(answers.predicted[index]),
        "confidence": float(answers.confidence[index]),
        "loss": float(answers.loss[index]),
        "probabilities": [float(probability) for probability in answers.probabilities[index]],
        **second,
    }


def _list_suspects(store: Store, run: Run, as_json: bool) -> None:
    from engine.suspects import SURE, find_suspects

    dataset = _dataset_of(run)
    inquest, names = find_suspects(store.runs(), dataset), class_names_of(dataset.info)
    if as_json:
        print_json(
            {
                "asked": inquest.asked,
                "left_out": inquest.left_out,
                "confidence_at_least": SURE,
                "class_names": names,
                "suspects": [
                    {"index": s.index, "true": s.label, "predicted": s.predicted, "confidences": s.confidences}
                    for s in inquest.suspects
                ],
            }
        )
        return
    _print_suspects(inquest, names, SURE)


def _print_suspects(inquest: Inquest, class_names: Sequence[str], sure: float) -> None:
    if inquest.left_out:
        notify(f"Left out, without predictions or tested on other images: {', '.join(inquest.left_out)}")
    if not inquest.asked:
        click.echo("No run has predictions yet. Train one: mnist-tui train")
        return
    runs = "The only run" if len(inquest.asked) == 1 else f"All {len(inquest.asked)} runs"
    verb = "gets" if len(inquest.asked) == 1 else "get"
    click.echo(f"{runs} {verb} {count(len(inquest.suspects))} test images wrong and at least {sure:.0%} sure.")
    if not inquest.suspects:
        return
    click.echo("Their labels may be errors. The more runs, of different models, the better the evidence.\n")
    right = ("image", "least sure", *(("label", "runs say") if _are_short(class_names) else ()))
    table = make_table("image", "label", "runs say", "least sure", right=right)
    for suspect in inquest.suspects:
        said = "/".join(class_names[answer] for answer in sorted(set(suspect.predicted)))
        add_row(table, count(suspect.index), class_names[suspect.label], said, percent(suspect.confidence, 1))
    print_table(table)
