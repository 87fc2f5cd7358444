"""The decision about consent as one table: --confirm x kind of impact x reach of a person x proofs."""

from itertools import product

from tfruns.gate.consent import (
    REQUIREMENTS,
    Allow,
    Ask,
    Consent,
    Evidence,
    Reach,
    Refusal,
    Refuse,
    Requirement,
    decide,
    decide_unanswered,
    depends_on_impact,
)
from tfruns.impact import Impact, ImpactKind
from tfruns.policy import Confirm, Mode, Policy

K = ImpactKind
Decision = Allow | Ask | Refuse

NOTHING, CLIENT, CODE, REVIEW, PERSON, PAGE = Requirement

# The rules, written down a second time: what each impact needs with auto, review, always, page and never.
RULES = {
    None: (NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    K.UNSEEN_APPLY: (PERSON, PERSON, PERSON, PAGE, NOTHING),
    K.DESTRUCTIVE_APPLY: (CODE, REVIEW, PERSON, PAGE, NOTHING),
    K.ACTION_APPLY: (CODE, REVIEW, PERSON, PAGE, NOTHING),
    K.APPLY: (CLIENT, REVIEW, PERSON, PAGE, NOTHING),
    K.OVERRIDE: (CODE, CODE, PERSON, PAGE, NOTHING),
    K.KILL_APPLY: (CODE, CODE, PERSON, PAGE, NOTHING),
    K.KILL: (CLIENT, CODE, PERSON, PAGE, NOTHING),
    K.DISPLACE: (CLIENT, CODE, PERSON, PAGE, NOTHING),
    K.DESTROY_PLAN: (CLIENT, CODE, PERSON, PAGE, NOTHING),
    K.INTERRUPT_APPLY: (NOTHING, NOTHING, PERSON, PAGE, NOTHING),
    K.DISCARD_PLAN: (NOTHING, NOTHING, PERSON, PAGE, NOTHING),
    K.FORCE_UNLOCK: (CODE, CODE, PERSON, PAGE, NOTHING),
    K.AUTO_APPLY: (CODE, CODE, PERSON, PAGE, NOTHING),
    K.CHANGE_WORKSPACE: (CLIENT, CODE, PERSON, PAGE, NOTHING),
    K.DELETE_WORKSPACE: (CODE, CODE, PERSON, PAGE, NOTHING),
    K.ROLL_BACK_STATE: (CODE, CODE, PERSON, PAGE, NOTHING),
}

NO_CODE, NO_REVIEW, NO_PERSON, NO_PAGE, DIFFERS = (
    Refuse(Refusal.NEEDS_CODE),
    Refuse(Refusal.NEEDS_REVIEW),
    Refuse(Refusal.NEEDS_PERSON),
    Refuse(Refusal.NEEDS_PAGE),
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
    PAGE: (NO_PAGE, NO_PAGE, NO_PAGE),
}
# The client closed the question without an answer.
UNANSWERED = WITHOUT_A_PERSON | {CLIENT: (NO_CODE, BY_CODE, BY_FINGERPRINT)}
# And where one can be asked. With `auto`, the person decides whatever was given.
WITH_A_PERSON: dict[Requirement, tuple[Decision, ...]] = {
    NOTHING: (FREE, FREE, BY_FINGERPRINT),
    CLIENT: (Ask(), BY_CODE, BY_FINGERPRINT),
    CODE: (Ask(), BY_CODE, BY_FINGERPRINT),
    REVIEW: (Ask(), Ask(), BY_FINGERPRINT),
    PERSON: (Ask(), Ask(), Ask()),
    PAGE: (Ask(), Ask(), Ask()),
}


TABLES = {Reach.CANNOT_ASK: WITHOUT_A_PERSON, Reach.CAN_ASK: WITH_A_PERSON, Reach.UNANSWERED: UNANSWERED}


def expected(confirm: Confirm, kind: ImpactKind | None, needed: Requirement, call: Evidence) -> Decision:
    if kind is None:
        return FREE
    if call.fingerprint is False:
        return DIFFERS
    if call.page is not None:
        return Allow(Consent.PAGE) if call.page else Refuse(Refusal.DECLINED)
    if call.reach is Reach.CAN_ASK and confirm is Confirm.AUTO and needed is not NOTHING:
        return Ask()
    return TABLES[call.reach][needed][column(call)]


def column(call: Evidence) -> int:
    return 2 if call.fingerprint else 1 if call.code else 0


def impact(*kinds: ImpactKind | None) -> Impact:
    return Impact(kinds=frozenset(kind for kind in kinds if kind))


def test_every_combination_has_the_decision_of_the_table() -> None:
    assert set(RULES) == {None, *ImpactKind}
    answers = (None, False, True)
    walked = 0
    for (kind, row), (place, confirm) in product(RULES.items(), enumerate(Confirm)):
        for reach, fingerprint, code, page in product(Reach, answers, answers, answers):
            call = Evidence(reach, fingerprint, code, page)
            decision = decide(call, impact(kind), Policy(confirm=confirm))
            assert decision == expected(confirm, kind, row[place], call), f"--confirm {confirm}, {kind}, {call}"
            walked += 1
    assert walked == len(RULES) * 5 * 3 * 3 * 3 * 3


def test_unanswered_question_leaves_the_proofs_that_no_person_can_have_rejected() -> None:
    asked = 0
    for (kind, row), (place, confirm) in product(RULES.items(), enumerate(Confirm)):
        for fingerprint, code in product((None, True), (None, False, True)):
            call, policy = Evidence(Reach.CAN_ASK, fingerprint, code), Policy(confirm=confirm)
            if decide(call, impact(kind), policy) != Ask():
                continue
            decided = [decide_unanswered(call, impact(kind), policy, is_unread=unread) for unread in (True, False)]
            needed = UNANSWERED[row[place]]
            assert decided == [needed[column(call)], needed[0]], f"--confirm {confirm}, {kind}, {call}"
            asked += 1
    assert asked > 100


def test_stricter_of_two_kinds_of_impact_decides() -> None:
    for (one, row), (other, other_row) in product(RULES.items(), RULES.items()):
        for place, confirm in enumerate(Confirm):
            needed = max(row[place], other_row[place])
            decision = decide(Evidence(), impact(one, other), Policy(confirm=confirm))
            assert decision == WITHOUT_A_PERSON[needed][0], f"--confirm {confirm}, {one}, {other}"


def test_code_is_not_sufficient_for_an_apply_in_review() -> None:
    applies = {kind for kind in ImpactKind if "APPLY" in kind.name} - {K.KILL_APPLY, K.INTERRUPT_APPLY, K.AUTO_APPLY}
    assert applies == {K.UNSEEN_APPLY, K.DESTRUCTIVE_APPLY, K.ACTION_APPLY, K.APPLY}
    for kind in applies:
        assert isinstance(decide(Evidence(code=True), impact(kind), Policy(confirm=Confirm.REVIEW)), Refuse)


def test_every_kind_of_impact_has_a_rule_per_confirm() -> None:
    assert {kind: set(row) for kind, row in REQUIREMENTS.items()} == {kind: set(Confirm) for kind in ImpactKind}


def test_mode_plan_forbids_impact_on_an_apply() -> None:
    forbidden = {K.UNSEEN_APPLY, K.INTERRUPT_APPLY, K.KILL_APPLY, K.FORCE_UNLOCK}
    for kind, other, confirm in product(ImpactKind, ImpactKind, Confirm):
        for call in (*map(Evidence, Reach), Evidence(fingerprint=True), Evidence(code=True)):
            decision = decide(call, impact(kind, other), Policy(Mode.PLAN, confirm))
            is_refused = decision == Refuse(Refusal.MODE)
            assert is_refused is bool({kind, other} & forbidden), f"{kind}, {other}, --confirm {confirm}, {call}"


def test_impact_is_not_read_if_it_cannot_change_the_decision() -> None:
    for mode, confirm, has_fingerprint in product((Mode.PLAN, Mode.APPLY), Confirm, (False, True)):
        is_free = confirm is Confirm.NEVER and mode is Mode.APPLY and not has_fingerprint
        found = depends_on_impact(Policy(mode, confirm), has_fingerprint=has_fingerprint)
        assert found is not is_free, f"--mode {mode}, --confirm {confirm}, fingerprint: {has_fingerprint}"
