"""Message templates: three. Not confirmed: every field."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, everything, serves

_TEMPLATES = (
    ("Flu clinic", "Your flu jab is due. Please call us.", False),
    ("Test result", "Your test result is here. Please call us.", False),
    ("Asthma review", "Please answer the questions about your asthma.", True),
)


@serves("templates.list", rules.query({"has_follow_up": rules.flag_text}))
def listing(call: Call) -> object:
    """The practice group's templates."""
    wanted = call.query.get("has_follow_up")
    found = [
        {"id": call.practice.make_id(number), "name": name, "content": content, "has_follow_up": has_follow_up}
        for number, (name, content, has_follow_up) in enumerate(_TEMPLATES, start=601)
        if wanted in (None, "true" if has_follow_up else "false")
    ]
    return everything(found, lambda template: template)
