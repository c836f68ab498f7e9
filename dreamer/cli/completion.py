"""``dreamer completion SHELL``: prints the script that makes a shell complete dreamer's commands.

The one idea: Click finds what can be said, and here is how each shell asks and is answered. To bash a colon ends a
word, so that of ``logit:tab`` only ``tab`` is to be completed, and it takes an answer as it stands, without quoting it:
words are put together again, and the answer is cut and quoted as bash would have typed it. The others take whole words,
``--blend=multiply`` for ``--blend=mul``. In each the order of the answers is kept, and nothing follows a colon.
"""

from __future__ import annotations

import os
import re
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from dreamer.cli.commands import Command

_BASH = r"""%(complete_func)s() {
    local IFS=$'\n' type value response
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<< "$response"
    [[ ${COMPREPLY[0]} == *: ]] && compopt -o nospace
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = r"""#compdef %(prog_name)s

%(complete_func)s() {
    local -a plain described after response
    local type key help
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s)}")
    for type key help in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) [[ $help == _ ]] && plain+=("$key") || described+=("$key:$help") ;;
        esac
    done
    [[ ${response[2]} == *: ]] && after=(-S '')
    (( $#described )) && _describe -V unsorted described -U "${after[@]}"
    (( $#plain )) && compadd -U -V unsorted "${after[@]}" -a plain
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = r"""function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \
COMP_CWORD=(commandline -t) %(prog_name)s)
    for completion in $response
        set -l parts (string split --max 1 "," $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end

complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""
# A word as it was typed: with its quotes, of which the last may be open.
_WORD = re.compile(r"""(?:\\.|'[^']*(?:'|$)|"(?:\\.|[^"\\])*(?:"|$)|[^\s'"\\])+""", re.DOTALL)
_BREAK = re.compile("[:=]+")
_SPECIAL = {
    "'": re.compile("(')"),
    '"': re.compile(r'(["$`\\])'),
    "": re.compile(r"([^\w@%+=:,./-])"),
}
"""What is not itself within quotes of a kind, or without."""


class _Bash(BashComplete):
    """What bash asks, and how it is answered."""

    source_template = _BASH
    _begun = ""  # What stands before the part of a word that bash asks about.
    _mark = ""  # The quotation mark that is open in that part.

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to be completed, and that word."""
        parts = _WORD.findall(os.environ["COMP_WORDS"])
        place = int(os.environ["COMP_CWORD"])
        asked = parts[place] if place < len(parts) else ""
        words = _joined([*parts[:place], asked])
        whole = words.pop()
        # Of a colon alone it is what follows that is asked about.
        asked = "" if _BREAK.fullmatch(asked) else asked
        self._begun = _plain(whole.removesuffix(asked))
        self._mark = asked[:1] if asked[:1] in ("'", '"') else ""
        return [_plain(word) for word in words[1:]], _plain(whole)

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """A line of the answer: kind and text."""
        begun = self._begun.partition("=")[2] if self._begun.startswith("-") else self._begun
        text = str(item.value)
        text = text[len(begun) :] if text.lower().startswith(begun.lower()) else text
        quoted = _SPECIAL[self._mark].sub(r"'\\\1'" if self._mark == "'" else r"\\\1", text)
        return f"{item.type},{quoted}"


class _WholeWords(ShellComplete):
    """A shell of which the answer is a whole word, with the option that a value is given to."""

    _option = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to be completed, and that word."""
        before, word = super().get_completion_args()
        name, equals, _ = word.partition("=")
        self._option = f"{name}{equals}" if equals and name.startswith("-") else ""
        return before, word

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """What stands for an item in the answer."""
        return super().format_completion(CompletionItem(f"{self._option}{item.value}", item.type, item.help))


class _Zsh(_WholeWords, ZshComplete):
    source_template = _ZSH


class _Fish(_WholeWords, FishComplete):
    source_template = _FISH


def _joined(parts: list[str]) -> list[str]:
    """Words, of parts that bash has made at colons and equals signs."""
    words: list[str] = []
    for place, part in enumerate(parts):
        if place > 1 and (_BREAK.fullmatch(part) or _BREAK.fullmatch(parts[place - 1])):
            words[-1] += part
        else:
            words.append(part)
    return words


def _plain(word: str) -> str:
    """A word without its quotes."""
    return "".join(split_arg_string(word))


for _shell in (_Bash, _Zsh, _Fish):
    add_completion_class(_shell)


@click.command(cls=Command)
@click.argument("shell", type=click.Choice([_Bash.name, _Zsh.name, _Fish.name]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for SHELL.

    \b
    bash:  dreamer completion bash >> ~/.bashrc
    zsh:   dreamer completion zsh >> ~/.zshrc
    fish:  dreamer completion fish > ~/.config/fish/completions/dreamer.fish
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell!r}")
    click.echo(kind(ctx.find_root().command, {}, "dreamer", "_DREAMER_COMPLETE").source())
