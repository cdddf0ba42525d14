"""A first question, so that a new installation has something to show."""

from django.db import migrations


def ask(apps, _schema_editor):
    question = apps.get_model("polls", "Question").objects.create(text="Tabs or spaces?")
    choice = apps.get_model("polls", "Choice")
    choice.objects.bulk_create(choice(question=question, text=text) for text in ("Tabs", "Spaces", "Whatever the formatter says"))


class Migration(migrations.Migration):
    dependencies = [("polls", "0001_initial")]

    operations = [migrations.RunPython(ask, migrations.RunPython.noop)]
