"""Models that more than one subject uses."""

from __future__ import annotations

from typing import Annotated

from hero_async.fields import Hidden, OpenEnum, Ref, model


class PatientTitle(OpenEnum):
    """A patient's title, as answers have it."""

    BARON = "Baron"
    BARONESS = "Baroness"
    BRIGADIER = "Brigadier"
    COUNT = "Count"
    COLONEL = "Colonel"
    COUNTESS = "Countess"
    CAPTAIN = "Captain"
    DAME = "Dame"
    THE_DOWAGER_VISCOUNTESS = "The Dowager Viscountess"
    DR = "Dr"
    DUCHESS = "Duchess"
    DUKE = "Duke"
    EARL = "Earl"
    HIS_EXCELLENCY = "His Excellency"
    FATHER = "Father"
    HE_AMBASSADOR_MR = "H.E. Ambassador Mr"
    HE_MR = "H.E. Mr"
    HE_MRS = "H.E. Mrs"
    HER_GRACE = "Her Grace"
    HIS_GRACE = "His Grace"
    THE_HON = "The Hon"
    THE_HON_MR = "The Hon Mr"
    THE_HON_MRS = "The Hon Mrs"
    HRH = "HRH"
    HRH_PRINCE = "HRH Prince"
    HRH_PRINCESS = "HRH Princess"
    INSURANCE = "Insurance"
    HM_KING = "HM King"
    LADY = "Lady"
    LORD = "Lord"
    MAJOR = "Major"
    MASTER = "Master"
    MISS = "Miss"
    MR = "Mr"
    MRS = "Mrs"
    MS = "Ms"
    MSS = "Mss"
    MX = "Mx"
    PR = "Pr"
    PROFESSOR = "Professor"
    HM_QUEEN = "HM Queen"
    RABBI = "Rabbi"
    REVEREND = "Reverend"
    SHEIKH = "Sheikh"
    SHEIKHA = "Sheikha"
    SIR = "Sir"
    THE = "The"
    NONE = ""
    VISCOUNT = "Viscount"
    VISCOUNTESS = "Viscountess"


Title = Annotated[PatientTitle, Hidden()]
"""A title that stands beside a person's name: not shown in a repr."""


@model
class Pharmacy:
    """A pharmacy, stored for one prescriber."""

    id: Ref
    """Id of the pharmacy, digits."""

    prescriber_id: Ref
    """Id of the prescriber, digits."""

    name: str
    """Name."""

    email: str
    """E-mail address."""

    mobile: str
    """Mobile number."""
