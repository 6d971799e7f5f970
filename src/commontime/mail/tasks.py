from django.tasks import task

from commontime.mail import delivery


@task
def deliver() -> None:
    """Send what is due. Runs after every post and every few seconds, so nothing depends on one
    wake-up.
    """
    if delivery.deliver_due() and delivery.is_due():
        # A long batch goes on behind the other tasks that wait.
        deliver.enqueue()
