from typing import Any

from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "fairlead.insight"
    label = "insight"

    def ready(self) -> None:
        from fairlead.process.approval_times import usual_time_from
        from fairlead.process.parts import Part, add_part, add_way
        from fairlead.process.tools import add_action
        from fairlead.work.registry import add_to_the_first_mail_of_a_week, weekly_lines

        from .adoption.week_words import digest_lines  # models are there only now
        from .replay.command import replay
        from .seal_alarm import register_alarm

        register_alarm()
        add_part(
            Part({"zh": "使用与转化", "en": "Use and conversion"}, "insight:usage", "funnel.view"),
        )
        add_part(
            Part(
                {"zh": "审批是怎样决定的", "en": "How approvals are decided"},
                "insight:deciding",
                "funnel.view",
            )
        )
        usual_time_from(_usual_of)
        add_way(Part({"zh": "用历史试行", "en": "Try on history"}, "insight:replay", "process.publish"))
        add_way(Part({"zh": "检查项质量", "en": "Criterion quality"}, "insight:quality", "funnel.view"))
        add_way(
            Part({"zh": "交接", "en": "Hand-overs"}, "insight:hand_overs", "funnel.view", "opportunity"),
        )
        add_way(
            Part(
                {"zh": "共担指标", "en": "Shared figures"},
                "insight:team_figures",
                "funnel.view",
                "opportunity",
            ),
        )
        add_action("replay", replay)
        if digest_lines not in weekly_lines:
            add_to_the_first_mail_of_a_week(digest_lines)


def _usual_of(kind: str) -> Any:
    """NumPy loads with the first question, not with the room."""
    from .deciding import usual_of

    return usual_of(kind)
