"""Forms: four, one of each type. Where `search` looks is not confirmed: here in title and description."""

from __future__ import annotations

import attrs

from hero_async.sandbox import rules
from hero_async.sandbox.practice import Practice
from hero_async.sandbox.serving import Call, everything, missing, serves


@attrs.frozen(repr=False)
class Form:
    """A form."""

    id: str
    form_type: str
    title: str
    description: str
    questions: tuple[str, ...]
    reply_form: bool = False


_FORMS = (
    ("questionnaire", "Asthma review", "How your asthma has been", ("Any symptoms at night?", "Any attacks?"), False),
    ("response", "Reply to the practice", "Answer our message", ("Your reply",), True),
    ("appointment", "Before your appointment", "What the clinician should know", ("What brings you here?",), False),
    ("care_navigation", "Ask for help", "What you need help with", ("What do you need?", "Since when?"), False),
)


def forms(practice: Practice) -> tuple[Form, ...]:
    """The forms of a practice group."""
    return tuple(Form(practice.make_id(501 + number), *fields) for number, fields in enumerate(_FORMS))


def find_form(practice: Practice, id: str) -> Form | None:
    """The form with this id."""
    return next((form for form in forms(practice) if form.id == id), None)


_LIST = rules.query(
    {
        "reply_form": rules.flag_text,
        "form_type": rules.one_of("questionnaire", "response", "appointment", "care_navigation"),
    }
)


@serves("forms.list", _LIST)
def listing(call: Call) -> object:
    """The forms that every filter fits."""
    text = call.query.get("search", "").casefold()
    found = [
        form
        for form in forms(call.practice)
        if text in f"{form.title} {form.description}".casefold()
        and call.query.get("reply_form") in (None, "true" if form.reply_form else "false")
        and call.query.get("form_type") in (None, form.form_type)
    ]
    return everything(found, lambda form: {**_show(form), "reply_form": form.reply_form})


def _show(form: Form) -> dict[str, object]:
    return {
        "id": form.id,
        "form_type": form.form_type,
        "title": form.title,
        "description": form.description,
        "patient_title": form.title,
        "patient_description": None,
        "snomed_code": None,
    }


@serves("forms.get")
def get(call: Call) -> object:
    """Show a form with its questions."""
    form = find_form(call.practice, call.path["id"])
    if form is None:
        raise missing("form")
    fields = [
        {"form_question_id": f"{form.id}{number:02d}", "name": question}
        for number, question in enumerate(form.questions, start=1)
    ]
    return {**_show(form), "fields": fields}
