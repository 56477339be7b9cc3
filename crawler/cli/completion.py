"""`broadsheet completion`: the script that makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options.

    \b
    bash   eval "$(broadsheet completion bash)"    in ~/.bashrc
    zsh    eval "$(broadsheet completion zsh)"     in ~/.zshrc
    fish   broadsheet completion fish > ~/.config/fish/completions/broadsheet.fish
    """
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(context.find_root().command, {}, "broadsheet", "_BROADSHEET_COMPLETE").source())
