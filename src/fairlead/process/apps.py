from django.apps import AppConfig


class ProcessConfig(AppConfig):
    name = "fairlead.process"
    label = "process"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fairlead.organisation import registry  # models are there only now
        from fairlead.work import registry as work

        from . import tasks, words  # the schedule learns of the tasks
        from .examining import add_examiner
        from .field_uses import register_field_uses
        from .notifying import WORDS, tell_people
        from .record import register_record
        from .selectors.approvals import condition_name
        from .selectors.approvers import missing_approvers
        from .services.clock_notices import tell_with
        from .services.shipping import set_up_step, stages_of_template

        if tasks.follow_calendar.enqueue not in registry.CALENDAR_CHANGED:
            registry.CALENDAR_CHANGED.append(tasks.follow_calendar.enqueue)
        work.word_notifications(WORDS)
        tell_with(tell_people)
        words.name_keys("condition", condition_name)
        add_examiner(missing_approvers)
        register_field_uses()
        register_record()

        if stages_of_template not in registry.STAGES_OF_TEMPLATE:
            registry.STAGES_OF_TEMPLATE.append(stages_of_template)
        if set_up_step not in registry.SET_UP_STEPS:
            registry.SET_UP_STEPS.append(set_up_step)
