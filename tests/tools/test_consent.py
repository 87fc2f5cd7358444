"""The decision about consent as one table: --confirm x kind of impact x who can be asked x what was given."""

from itertools import product

from tfruns.tools.consent import (
    REQUIREMENTS,
    Allow,
    Ask,
    Consent,
    Given,
    ImpactKind,
    Refusal,
    Refuse,
    Requirement,
    decide,
)
from tfruns.tools.policy import Confirm

K = ImpactKind
Decision = Allow | Ask | Refuse

NOTHING, CLIENT, CODE, REVIEW, PERSON = Requirement

# The rules in words, written down a second time: what each kind of impact needs with auto, review, always and never.
RULES = {
    None: (NOTHING, NOTHING, NOTHING, NOTHING),
    K.UNSEEN_APPLY: (PERSON, PERSON, PERSON, NOTHING),
    K.DESTRUCTIVE_APPLY: (CODE, REVIEW, PERSON, NOTHING),
    K.ACTION_APPLY: (CODE, REVIEW, PERSON, NOTHING),
    K.APPLY: (CLIENT, REVIEW, PERSON, NOTHING),
    K.OVERRIDE: (CODE, CODE, PERSON, NOTHING),
    K.KILL_APPLY: (CODE, CODE, PERSON, NOTHING),
    K.KILL: (CLIENT, CODE, PERSON, NOTHING),
    K.DISPLACE: (CLIENT, CODE, PERSON, NOTHING),
    K.DESTROY_PLAN: (CLIENT, CODE, PERSON, NOTHING),
    K.INTERRUPT_APPLY: (NOTHING, NOTHING, PERSON, NOTHING),
    K.DISCARD_PLAN: (NOTHING, NOTHING, PERSON, NOTHING),
}

NO_CODE, NO_REVIEW, NO_PERSON, DIFFERS = (
    Refuse(Refusal.NEEDS_CODE),
    Refuse(Refusal.NEEDS_REVIEW),
    Refuse(Refusal.NEEDS_PERSON),
    Refuse(Refusal.PLAN_DIFFERS),
)
BY_CLIENT, BY_CODE, BY_FINGERPRINT, FREE = (
    Allow(Consent.CLIENT),
    Allow(Consent.CODE),
    Allow(Consent.FINGERPRINT),
    Allow(Consent.NONE),
)

# By what is needed: without a person, with nothing given, a right code, and a right fingerprint.
WITHOUT_A_PERSON: dict[Requirement, tuple[Decision, ...]] = {
    NOTHING: (FREE, FREE, BY_FINGERPRINT),
    CLIENT: (BY_CLIENT, BY_CODE, BY_FINGERPRINT),
    CODE: (NO_CODE, BY_CODE, BY_FINGERPRINT),
    REVIEW: (NO_REVIEW, NO_REVIEW, BY_FINGERPRINT),
    PERSON: (NO_PERSON, NO_PERSON, NO_PERSON),
}
# And where one can be asked. With `auto`, the person decides whatever was given.
WITH_A_PERSON: dict[Requirement, tuple[Decision, ...]] = {
    NOTHING: (FREE, FREE, BY_FINGERPRINT),
    CLIENT: (Ask(), BY_CODE, BY_FINGERPRINT),
    CODE: (Ask(), BY_CODE, BY_FINGERPRINT),
    REVIEW: (Ask(), Ask(), BY_FINGERPRINT),
    PERSON: (Ask(), Ask(), Ask()),
}


def expected(confirm: Confirm, needed: Requirement, *, can_ask: bool, given: Given) -> Decision:
    if given.fingerprint is False:
        return DIFFERS
    if can_ask and confirm is Confirm.AUTO and needed is not NOTHING:
        return Ask()
    column = 2 if given.fingerprint else 1 if given.code else 0
    return (WITH_A_PERSON if can_ask else WITHOUT_A_PERSON)[needed][column]


def test_every_combination_is_decided_as_the_table_says() -> None:
    assert set(RULES) == {None, *ImpactKind}
    answers = (None, False, True)
    walked = 0
    for (kind, row), (place, confirm) in product(RULES.items(), enumerate(Confirm)):
        for can_ask, fingerprint, code in product((False, True), answers, answers):
            given = Given(fingerprint, code)
            decision = decide(confirm, {kind} if kind else set(), can_ask=can_ask, given=given)
            wanted = expected(confirm, row[place], can_ask=can_ask, given=given)
            assert decision == wanted, f"--confirm {confirm}, {kind}, can_ask={can_ask}, {given}"
            walked += 1
    assert walked == len(RULES) * 4 * 2 * 3 * 3


def test_of_two_kinds_of_impact_the_stricter_one_decides() -> None:
    for (one, row), (other, other_row) in product(RULES.items(), RULES.items()):
        for place, confirm in enumerate(Confirm):
            kinds = {kind for kind in (one, other) if kind}
            needed = max(row[place], other_row[place])
            decision = decide(confirm, kinds, can_ask=False, given=Given())
            assert decision == WITHOUT_A_PERSON[needed][0], f"--confirm {confirm}, {kinds}"


def test_review_lets_no_apply_through_with_a_code_alone() -> None:
    applies = {kind for kind in ImpactKind if "APPLY" in kind.name} - {K.KILL_APPLY, K.INTERRUPT_APPLY}
    assert applies == {K.UNSEEN_APPLY, K.DESTRUCTIVE_APPLY, K.ACTION_APPLY, K.APPLY}
    for kind in applies:
        assert isinstance(decide(Confirm.REVIEW, {kind}, can_ask=False, given=Given(code=True)), Refuse)


def test_every_kind_of_impact_has_a_rule_for_every_value_of_confirm() -> None:
    assert {kind: set(row) for kind, row in REQUIREMENTS.items()} == {kind: set(Confirm) for kind in ImpactKind}
