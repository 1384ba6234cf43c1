"""Shapes of playbooks, their runs, and answers to questions in the API."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class OfferedOut(Answer):
    key: str
    name: str
    purpose: str
    tasks: int


class RunTaskOut(Answer):
    key: str
    task: int
    title: str
    assignee: int | None
    due: date | None
    done_at: datetime | None


class RunOut(Answer):
    id: int
    playbook: str
    number: int
    stage: str
    trigger: str
    state: str
    outcome: str
    progress: int = Field(description="Whole per cent of the tasks that count.")
    asked_again: bool = Field(description="What starts it happened again: say restart, resume or skip.")
    launched_at: datetime
    ended_at: datetime | None
    version: int
    tasks: list[RunTaskOut]


class PlaybooksOut(Answer):
    offered: list[OfferedOut]
    runs: list[RunOut]


class LaunchIn(Body):
    playbook: Key
    again: Literal["restart", "resume", "skip"] | None = None


class EndIn(Body):
    outcome: Literal["successful", "partially", "not", "not_needed"]


class AnswerIn(Body):
    key: Key | None = Field(
        None, description="A question of the bank; without it `question` says what was asked."
    )
    question: Annotated[str, Field(max_length=300)] = ""
    answer: Annotated[str, Field(max_length=2000)]


class AnswerOut(Answer):
    id: int
    key: str
    type: str
    stage: str
    question: str
    answer: str
    by: int
    at: datetime


class AnswersOut(Answer):
    items: list[AnswerOut]
