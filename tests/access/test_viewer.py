import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spm_models.access import Viewer, find_person, same_login, viewer_from_environment
from spm_models.errors import AccessDeniedError


def people(*ids, email=None):
    return pd.DataFrame({"rep_id": list(ids), "manager_id": None, "email": email or [None] * len(ids)}).astype("str")


@pytest.mark.parametrize("environ", [{}, {"SPM_VIEWER": ""}, {"SPM_VIEWER": "  "}, {"SPM_VIEWER": '{"id": ""}'},
                                     {"SPM_VIEWER": '{"id": "a"}'}, {"SPM_VIEWER": '{"id": "a", "role": "root"}'},
                                     {"SPM_VIEWER": "{broken"}])  # fmt: skip
def test_without_a_usable_viewer_there_is_none(environ):
    with pytest.raises(AccessDeniedError):
        viewer_from_environment(environ)


@given(st.text(min_size=1).filter(lambda text: text.strip()), st.sampled_from([None, "rep", "manager", "analyst"]))
def test_a_viewer_survives_the_environment(login, role):
    viewer = Viewer(login, role)
    assert viewer_from_environment({"SPM_VIEWER": viewer.to_environment()}) == viewer


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("IŞIK", "ışık", True), ("ISIK", "isik", True), ("İPEK", "ipek", True), ("ışık", "işik", False),
     ("ılgın", "ilgin", False), ("Straße", "STRASSE", True), ("cafe\u0301", "CAFÉ", True), ("ａｂ", "ab", True),
     (" r1 ", "R1", True), ("r1", "r11", False), ("سارة", "سارة", True)],
)  # fmt: skip
def test_logins_are_compared_by_the_rules_of_both_alphabets(one, other, same):
    assert same_login(one, other) is same_login(other, one) is same


def test_an_exact_id_wins_and_an_ambiguous_one_is_refused():
    assert find_person("ILGIN", people("ILGIN", "ilgin")) == "ILGIN"
    assert find_person("İlgin", people("ilgin", "ılgın")) == "ilgin"
    with pytest.raises(AccessDeniedError, match="Several"):
        find_person("ILGIN", people("ilgin", "ılgın"))


def test_an_address_is_a_login_too_but_never_before_an_id():
    frame = people("r1", "r2", email=["Ayse@Example.com", "r1"])
    assert find_person("ayse@example.COM", frame) == "r1"
    assert find_person("R1", frame) == "r1"
    with pytest.raises(AccessDeniedError, match="not in the organisation"):
        find_person("nan", frame)
