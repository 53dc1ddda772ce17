"""Above the mistakes: which run and epoch this is, the kinds of images to look at, and what the chosen kind means."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.browsing import Browsing, Group
from tui.formats import count, percent
from tui.snapshot import RunSnapshot
from tui.terminal import clean
from tui.widgets.chips import Chips, chips_of
from tui.widgets.epoch_slider import EpochSlider

ROOM_FOR_NAMES = 115


class BrowsingBar(Vertical):
    """A caption, the epochs, the kinds of images and their meaning; a line more where two runs are compared."""

    DEFAULT_CSS = """
    BrowsingBar {
        height: auto;
        & > #caption { height: 1; padding: 0 1; }
        & > #time { height: 1; padding: 0 1; }
        & > #time > EpochSlider { width: 1fr; }
        & > #time > Chips { width: auto; }
        & > #groups { width: 1fr; }
        & > #meaning { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-one-digit > #groups, &.-one-digit > #meaning { display: none; }
        & > #overlay { height: 1; display: none; }
        & > #overlay > Chips { width: auto; }
        & > #overlay > #verdict { width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield Static(id="caption", markup=False)
        with Horizontal(id="time"):
            yield EpochSlider(ascii=self._ascii)
            yield Chips(id="panes")
        yield Chips(id="groups")
        yield Static(id="meaning", markup=False)
        with Horizontal(id="overlay"):
            yield Chips(id="overlay-groups")
            yield Static(id="verdict", markup=False)

    def show_panes(self, panes: Sequence[str], chosen: str) -> None:
        """Offer `panes` to choose from, where not all are seen at once; a digit then needs every line."""
        self.set_class("digit" in panes and chosen == "digit", "-one-digit")
        chips = self.query_one("#panes", Chips)
        chips.chips = chips_of((pane, pane) for pane in panes)
        chips.chosen = chosen

    def show_run(
        self, snapshot: RunSnapshot | None, browsing: Browsing | None, epochs: Sequence[int], epoch: int
    ) -> None:
        """Show the run's name, its `epochs` with the one on display, and how much is wrong."""
        slider = self.query_one(EpochSlider)
        slider.epochs, slider.epoch = tuple(epochs), epoch
        parts: list[Content | str] = []
        if snapshot:
            parts.append(Content.styled(clean(snapshot.label), "bold"))
        if browsing:
            wrong, tested = len(browsing.now.mistakes), len(browsing.now.labels)
            parts.append(f"{count(wrong)} of {count(tested)} wrong ({percent(wrong / tested)})")
        self.query_one("#caption", Static).update(Content(" · ").join(parts), layout=False)

    def show_groups(self, browsing: Browsing | None, other_name: str = "", verdict: str = "") -> None:
        """Show the kinds of images, and how the other run called `other_name` compares."""
        groups = browsing.groups if browsing else []
        overlay_groups = browsing.overlay_groups if browsing else []
        chosen = browsing.chosen_group.name if browsing else ""
        self._show_chips("#groups", groups, chosen)
        meaning = f"{chosen}: {browsing.chosen_group.meaning}" if browsing else ""
        self.query_one("#meaning", Static).update(Content(meaning), layout=False)
        self._show_chips("#overlay-groups", overlay_groups, chosen)
        self.query_one("#overlay").display = bool(overlay_groups)
        words = [Content(verdict), Content.styled(f"laid over: {clean(other_name)}", "$text-muted")]
        self.query_one("#verdict", Static).update(Content(" · ").join(word for word in words if word), layout=False)

    def _show_chips(self, selector: str, groups: Sequence[Group], chosen: str) -> None:
        narrow = self.app.size.width < ROOM_FOR_NAMES
        texts = []
        for group in groups:
            text = group.short if narrow else group.name
            texts.append((group.name, text if group.indices is None else f"{text} {count(len(group.indices))}"))
        chips = self.query_one(selector, Chips)
        chips.chips, chips.chosen = chips_of(texts), chosen
