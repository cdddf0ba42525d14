"""The form that asks a question."""

from django import forms
from django.db import transaction

from polls.models import Choice, Question


class QuestionForm(forms.Form):
    text = forms.CharField(label="Your question", max_length=200)
    choices = forms.CharField(label="Choices, one on each line", widget=forms.Textarea(attrs={"rows": 4}))

    def clean_choices(self) -> list[str]:
        choices = [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]
        if not 2 <= len(choices) <= 10 or max(map(len, choices)) > 200:
            raise forms.ValidationError("Give 2 to 10 choices of at most 200 characters.")
        return choices

    @transaction.atomic
    def save(self) -> Question:
        question = Question.objects.create(text=self.cleaned_data["text"])
        Choice.objects.bulk_create(Choice(question=question, text=text) for text in self.cleaned_data["choices"])
        return question
