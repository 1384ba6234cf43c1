from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "fairlead.insight"
    label = "insight"

    def ready(self) -> None:
        from fairlead.process.parts import Part, add_part, add_way
        from fairlead.process.tools import add_action
        from fairlead.work.registry import add_to_the_first_mail_of_a_week, weekly_lines

        from .adoption.week_words import digest_lines  # models are there only now
        from .replay.command import replay

        add_part(
            Part({"zh": "使用与转化", "en": "Use and conversion"}, "insight:usage", "funnel.view"),
        )
        add_way(Part({"zh": "用历史试行", "en": "Try on history"}, "insight:replay", "process.publish"))
        add_action("replay", replay)
        if digest_lines not in weekly_lines:
            add_to_the_first_mail_of_a_week(digest_lines)
