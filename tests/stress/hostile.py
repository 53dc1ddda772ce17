"""Two hundred texts that try to command a terminal, run an action, break markup, or just be too much."""

from __future__ import annotations

import random
import re

MARK = "PWN"
"""Follows each control sequence directly, so that one that got through can be told from the app's own."""
ACTION = "app.pwned"

SEQUENCES = (
    "\x1b[2J", "\x1b[31m", "\x1b[?1049l", "\x1b[?1003h", "\x1b[6n", "\x1b[21t", "\x1b[8;1;1t", "\x1b[?25l", "\x1b[3A",
    "\x1b]0;title\x07", "\x1b]52;c;cm0gLXJmIC8=\x07", "\x1b]8;;http://evil\x1b\\", "\x1b]11;?\x07", "\x1bP+q544e\x1b\\",
    "\x1b_Ga=T\x1b\\", "\x1bc", "\x1b7", "\x1b#8", "\x1b(0", "\x1b%G", "\x1b", "\x9b2J", "\x9b31m", "\x9d0;t\x9c",
    "\x90q\x9c", "\x84", "\x85", "\x8d", "\x9f", "\x00", "\x01", "\x05", "\x07", "\x08", "\x0b", "\x0c", "\x0e", "\x0f",
    "\x11", "\x13", "\x18", "\x1a", "\x1c", "\x7f", "\r", "\n", "\r\n", "\t",
)  # fmt: skip
MARKUP = (
    f"[@click={ACTION}]{{}}[/]", f"[@click={ACTION}('x')]{{}}", f"[bold @click={ACTION}]{{}}[/bold]", "[/]{}", "{}[/]",
    "[/nothing]{}", "[bold]{}", "[red]{}[/blue]", "[[{}]]", "[{}", "{}]", "\\[{}", "{}\\", "[link='http://evil']{}[/link]",
    "[$text-error]{}[/]", "[on red blink]{}[/]", "[#ff0000]{}", "[not-a-style]{}[/not-a-style]", "[]{}[]", "[=]{}",
    "{}[@click=]", "[@click=app.switch_mode('data')]{}", "[@click=screen.dismiss]{}", "[@mouse.down=app.bell]{}",
    ":warning: {}", "**{}**", "`{}`", "<b>{}</b>", "$({})", "{}; rm -rf /", "%s%n{}", "{{{}}}",
    "\\x1b[31m{}", "\\u001b{}",
)  # fmt: skip
INVISIBLE = (
    "\u202e", "\u202d", "\u202a", "\u202b", "\u202c", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f",
    "\u061c", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u180e", "\u2028", "\u2029",
    "\u0301", "\ufe0f",
    "\U000e0041", "\ufff9", "\ufffd", "\ufffe", "\u3164", "\u115f",
)  # fmt: skip
PICTURES = (
    "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫", "👍🏽", "❤️", "1️⃣", "漢字かな交じり文", "العربية", "עברית", "हिन्दी", "ไทย",
    "e\u0301\u0323\u0302",
    "Z̴̧̛͎̠͚a̷̢̛͇l̶̨̛g̸̢̛o̵̧̕", "𝕱𝖗𝖆𝖐𝖙𝖚𝖗", "﷽", "ﬃ", "½", "️", "⁣", "■□▀▄", "│┤┐└", "😀" * 20,
)  # fmt: skip
HUGE = (
    "x" * 5_000,
    "漢" * 2_000,
    "👨‍👩‍👧‍👦" * 200,
    "a\u0301" * 2_000,
    "\u0301" * 1_000,
    "[bold]" * 1_000,
    "word " * 2_000,
)


def texts() -> list[str]:
    """Return the two hundred, the same ones each time, each kind throughout."""
    dice = random.Random(11)
    made = [sequence + MARK for sequence in SEQUENCES]
    made += [markup.format("CLICK") for markup in MARKUP]
    made += [f"ab{character}cd" for character in INVISIBLE]
    made += [*PICTURES, *HUGE, "", " ", "." * 80, "..", "/", "~", "-", "--help", "last", "0", "null", "NaN"]
    while len(made) < 200:
        one, other = dice.choice(MARKUP), dice.choice(SEQUENCES)
        made.append(one.format(other + MARK + dice.choice(INVISIBLE) + dice.choice(PICTURES)))
    assert len(made) == 200
    dice.shuffle(made)
    return made


_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def controls_in(text: str) -> list[str]:
    """Return the control characters in `text` other than the ends of lines, as they are written in Python."""
    return sorted({repr(found) for found in _CONTROLS.findall(text)})


def got_through(raw: bytes) -> list[str]:
    """Return the sequences that reached a terminal: `raw` is all that it got, among it the app's own."""
    commands = (sequence for sequence in SEQUENCES if sequence.strip("\t\r\n"))
    return [repr(sequence) for sequence in commands if (sequence + MARK).encode() in raw]
