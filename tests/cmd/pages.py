#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pages name only verbs and options, events, files of this tree and headings that exist; README.md
names each folder of the tree; README.md and doc/runbook.md quote only what the programs really say;
a section of a manual page that anything refers to is there."""

import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

UNLOCK, SOURCE = os.environ["BG_UNLOCK"], Path(os.environ["BG_SOURCE"])
SPEAKERS = ("pam_breakglass/*.[ch]", "bg-unlock/*.c", "lib/core/*.c", "breakglass-watchdog/*.c",
            "breakglass-tlog/*.c", "data/breakglass-console")
QUOTING = ("README.md", "doc/runbook.md")
# By people, on the telephone; by ssh.
SPOKEN = {"counted", "Connection closed by 127.0.0.1 port 922"}
VARIABLE_LEN = 40     # at most so much text for one of printf's conversions
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'')
CODE = re.compile(r"^```.*?^```|`[^`\n]+`|<[^>\n]+>", re.M | re.S)
CONVERSION = re.compile(r"%[-0-9.*]*(?:l|ll|z)?[a-zA-Z]")


def pages():
    return [SOURCE / name for name in ("README.md", "CHANGELOG.md", "tests/README.md",
                                       "contrib/README.md")] + sorted((SOURCE / "doc").glob("*.md"))


def folders():
    return {path.name for path in SOURCE.iterdir() if path.is_dir()
            and not re.match(r"\.|build$|obj-", path.name)}


# What the programs say

def c_texts(source):
    """The string literals of a C source, those side by side joined, PRIu64 and the like too."""
    source = re.sub(r'" *PRI[a-z0-9]+ *"', "u", source)
    for run in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', source):
        yield "".join(m.group(1) for m in re.finditer(r'"((?:[^"\\\n]|\\.)*)"', run.group()))


def shell_texts(source):
    for m in LITERAL.finditer(source):
        yield m.group(1) if m.group(1) is not None else m.group(2)


def tokens(text):
    """Characters, and None for what a conversion puts there. Line ends are blanks."""
    text = text.replace(r"\r\n", " ").replace(r"\n", " ").replace(r"\"", '"').replace("%%", "%")
    out, at = [], 0
    for m in CONVERSION.finditer(text):
        out += list(text[at:m.start()]) + [None]
        at = m.end()
    out += list(text[at:])
    return out


def said():
    for pattern in SPEAKERS:
        for path in sorted(SOURCE.glob(pattern)):
            source = path.read_text(encoding="utf-8")
            for text in (c_texts if path.suffix in (".c", ".h") else shell_texts)(source):
                yield tokens(text)


def says(text, quote):
    """Does that text, from anywhere in it, begin with the quote, most of it word by word?"""
    @lru_cache(maxsize=None)
    def literal(at, i, used):
        """The most characters of the quote that are the text's own; -1: it does not fit."""
        if i == len(quote):
            return 0
        if at == len(text):
            return -1
        best = -1
        if text[at] is None:
            best = literal(at + 1, i, 0)
            if used < VARIABLE_LEN:
                best = max(best, literal(at, i + 1, used + 1))
        elif text[at] == quote[i]:
            rest = literal(at + 1, i + 1, 0)
            best = rest + 1 if rest >= 0 else -1
        return best

    wanted = max(1, len(quote) * 2 // 3)
    if sum(c is not None for c in text) < wanted:
        return False
    return any(literal(at, 0, 0) >= wanted for at in range(len(text)))


def is_said(quote, texts):
    quote = quote.strip()
    return any(says(text, quote) for text in texts)


# What the pages name

def snippets(page):
    """The code spans, and the lines of code blocks joined over their backslashes."""
    block = re.compile(r"^```.*?\n(.*?)^```", re.M | re.S)
    for m in block.finditer(page):
        yield from m.group(1).replace("\\\n", " ").splitlines()
    for m in re.finditer(r"`([^`\n]+)`", block.sub("", page)):
        yield m.group(1)


@lru_cache(maxsize=None)
def help_of(verb):
    done = subprocess.run([UNLOCK, verb, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def commands(snippet):
    """Verb and further words of each bg-unlock in it."""
    for part in re.split(r"&&|\||;|#", snippet):
        m = re.match(r"\s*(?:sudo +)?bg-unlock +([a-z].*)", part)
        if m:
            yield m.group(1).split()


def wrong_command(words):
    verb, text = words[0], help_of(words[0])
    if text is None:
        return f"bg-unlock has no verb {verb}"
    for word in words[1:]:
        option = re.match(r"--?[a-z][a-z-]*", word)
        if option and not re.search(rf"(?<![\w-]){re.escape(option.group())}(?![\w-])", text):
            return f"bg-unlock {verb} has no {option.group()}"
    if verb in ("share", "log") and len(words) > 1 and re.fullmatch("[a-z|]+", words[1]):
        for sub in words[1].split("|"):
            if not re.search(rf"\b{sub}\b", text):
                return f"bg-unlock {verb} has no {sub}"
    return None


def wrong_file(path, snippet):
    """A path of this tree, from its top or from the page's own folder."""
    if not re.fullmatch(r"[\w.-]+/[\w./*-]*", snippet):
        return None
    first = snippet.partition("/")[0]
    tops = [top for top in (SOURCE, path.parent) if (top / first).is_dir() and first != "build"]
    if tops and not any(list(top.glob(snippet.rstrip("/") + "*")) for top in tops):
        return f"{snippet}: no such file"
    return None


@lru_cache(maxsize=None)
def events():
    return set(re.findall(r'\[BG_EV_\w+\] = \{ "([A-Z_]+)"',
                          (SOURCE / "lib/core/event.c").read_text(encoding="utf-8")))


def wrong_event(word):
    """One that begins as an event does, and is none."""
    kinds = {name.partition("_")[0] for name in events() if "_" in name}
    return word.partition("_")[0] in kinds and word not in events()


def wrong_section(text):
    """References such as bg-unlock(1), EXIT STATUS."""
    for name, number, section in re.findall(r"([a-z_.-]+)\(([158])\), ([A-Z]{2}[A-Z ]*[A-Z])", text):
        page = SOURCE / "doc" / f"{name}.{number}"
        if page.exists() and f"\n.Sh {section}\n" not in page.read_text(encoding="utf-8"):
            yield f"{name}({number}) has no section {section}"


def anchors(page):
    """As GitHub and others make them of headings."""
    for m in re.finditer(r"^#+ (.+)$", page, re.M):
        yield re.sub(r"[^\w\- ]", "", m.group(1).lower()).replace(" ", "-")


def wrong_link(path, page, target):
    if re.match(r"[a-z]+:", target):
        return None
    file, _, anchor = target.partition("#")
    there = path.parent / file if file else path
    if not there.exists():
        return f"{target}: no such file"
    if anchor and anchor not in anchors(there.read_text(encoding="utf-8")):
        return f"{target}: no such heading"
    return None


def findings(texts):
    for path in pages():
        page, name = path.read_text(encoding="utf-8"), path.relative_to(SOURCE)
        for word in set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", page)):
            if wrong_event(word):
                yield f"{name}: there is no event {word}"
        for snippet in snippets(page):
            wrong = wrong_file(path, snippet)
            if wrong:
                yield f"{name}: {wrong}"
            for words in commands(snippet):
                wrong = wrong_command(words)
                if wrong:
                    yield f"{name}: {wrong} ({snippet})"
        for target in re.findall(r"\]\(([^)\s]+)\)", page):
            wrong = wrong_link(path, page, target)
            if wrong:
                yield f"{name}: {wrong}"
        if str(name) in QUOTING:
            for quote in re.findall(r'"([^"\n]+)"', CODE.sub("", page)):
                if quote not in SPOKEN and not is_said(quote, texts):
                    yield f'{name}: nothing says "{quote}"'


def referring():
    for pattern in ("*.md", "*/*.md", "*/*.[ch]", "data/*", "breakglass-alert/handlers/*", "debian/*"):
        yield from (path for path in sorted(SOURCE.glob(pattern)) if path.is_file())


def more_findings():
    tree = (SOURCE / "README.md").read_text(encoding="utf-8").partition("## The tree")[2]
    for folder in sorted(folders()):
        if f"`{folder}/" not in tree:
            yield f"README.md: The tree lacks {folder}/"
    for path in referring():
        for wrong in wrong_section(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(SOURCE)}: {wrong}"


def main():
    sys.setrecursionlimit(20000)
    texts = list(said())
    # this test can fail
    assert not is_said("Please enter your password:", texts)
    assert not is_said("Wrong PIN, try again", texts)
    assert is_said("Share 1 of 2", texts)
    assert wrong_command(["nonsense"]) and wrong_command(["check", "--nonsense"])
    assert wrong_command(["log", "nonsense"])
    assert wrong_event("SESSION_BEGUN") and not wrong_event("SESSION_OPENED")
    assert wrong_file(SOURCE / "README.md", "lib/nothing.c")
    assert list(wrong_section("see bg-unlock(1), NONSENSE"))
    wrong = [*findings(texts), *more_findings()]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
