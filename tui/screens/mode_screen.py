"""What the screens of all modes share: the mode bar above, the footer below, and the app's news."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult

from tui.screens.stepping import SteppingScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.mode_bar import ModeBar

if TYPE_CHECKING:
    from tui.app import MnistApp


class ModeScreen(SteppingScreen):
    """A mode's screen. `MODE` is its name; `ABOUT` explains it in the help."""

    MODE: ClassVar[str]
    ABOUT: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._unseen: dict[Callable[[], None], None] = {}  # in the order in which they came up
        # What is mounted now is styled as it is mounted. Textual would parse all styles again and go over all widgets
        # of this screen and of the one before it, which takes 0.2 s.
        self._css_update_count = self.app._css_update_count
        # For the same reason: what styles go by is there before the widgets are.
        self.set_class(self.lab.ascii, "-ascii")
        widths = self.app.HORIZONTAL_BREAKPOINTS if self.HORIZONTAL_BREAKPOINTS is None else self.HORIZONTAL_BREAKPOINTS
        heights = self.app.VERTICAL_BREAKPOINTS if self.VERTICAL_BREAKPOINTS is None else self.VERTICAL_BREAKPOINTS
        for length, breakpoints in zip(self.app.size, (widths, heights), strict=True):
            self.add_class(*[name for start, name in sorted(breakpoints or []) if start <= length][-1:])

    @property
    def lab(self) -> MnistApp:
        """The app, by its own type."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def compose(self) -> ComposeResult:
        """Lay out the mode bar, what the screen is for, and the footer."""
        yield ModeBar(self.MODE)
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """Lay out what is between mode bar and footer."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Follow which dataset there is."""
        self.follow("snapshot", self._show_dataset)
        self.follow("dataset", self._show_dataset)

    def follow(self, attribute: str, show: Callable[[], None], at_once: bool = True) -> None:
        """Call `show` now, if that is to be `at_once`, and again whenever the app's `attribute` is another one.

        While another mode is on display, that waits until this one is.
        """
        self.watch(self.app, attribute, lambda: self._when_seen(show), init=False)
        if at_once:
            self._when_seen(show)

    def _when_seen(self, show: Callable[[], None]) -> None:
        if not self.is_attached:
            return
        if self in self.app.screen_stack:  # a dialog may lie over it
            show()
        else:
            self._unseen[show] = None

    def on_resize(self) -> None:
        """Give way to a sentence where there is no room."""
        self._give_way()

    def _give_way(self) -> None:
        from tui.screens.too_small import TooSmallScreen, is_too_small

        if is_too_small(self.app.size) and not isinstance(self.app.screen, TooSmallScreen):
            self.app.push_screen(TooSmallScreen())

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Show what has changed while another mode was on display.

        Styles have not: each change of them was applied as it came, and a new theme is by switch_mode. Textual would
        match all of them with all widgets again, half the time that a screen takes to appear.
        """
        event.refresh_styles = False
        self._give_way()
        unseen, self._unseen = self._unseen, {}
        for show in unseen:
            self._when_seen(show)

    def _show_dataset(self) -> None:
        snapshot, found = self.lab.snapshot, self.lab.dataset
        started = snapshot.progress.started if snapshot else None
        self.query_one(ModeBar).dataset = started.dataset if started else found.info if found else None
