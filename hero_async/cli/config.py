"""`hero config`: which settings there are, and where each came from."""

from __future__ import annotations

from cyclopts import App, Parameter

from hero_async.cli import output
from hero_async.cli.failures import Exit, report
from hero_async.cli.options import CONNECTION, Connection, settings_or_stand_ins
from hero_async.errors import ConfigurationError
from hero_async.settings import Settings

app: App = App(name="config", help_format="markdown", default_parameter=Parameter(negative=(), show_default=False))


@app.command
def show(*, json: bool = False, connection: Connection = CONNECTION) -> int:
    """Show each setting, its value and where it came from. Secrets are masked.

    Args:
        json: Answer one line of JSON.
        connection: Options to look at instead of the environment's.
    """
    _, lacking, shown = shown_settings(connection)
    if json:
        output.answer_json({name: {"value": value, "source": source} for name, (value, source) in shown.items()})
    else:
        rows = [(name, value, source) for name, (value, source) in shown.items()]
        output.stdout().print(output.table(("setting", "value", "from"), rows))
    for error in lacking.values():
        report(error, debug=False)
    return Exit.USAGE if lacking else Exit.OK


def shown_settings(
    connection: Connection,
) -> tuple[Settings, dict[str, ConfigurationError], dict[str, tuple[str, str]]]:
    """The settings; what is missing, by name; and each setting's value, masked, and where it came from.

    Raises:
        ConfigurationError: A setting that is there cannot work.
    """
    settings, lacking = settings_or_stand_ins(connection)
    missing = set(lacking)
    if "environment" in missing:
        missing.add("base_url")
    shown = {
        name: ("", "missing") if name in missing else (value, _source(settings.sources[name]))
        for name, value in settings.shown().items()
    }
    return settings, lacking, shown


def _source(source: str) -> str:
    return "command line" if source == "argument" else source
