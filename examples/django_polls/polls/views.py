"""List, vote, results, ask."""

from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from polls.forms import QuestionForm
from polls.models import Question


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    questions = Question.objects.annotate(votes=Sum("choices__votes")).order_by("-asked_at")[:50]
    return render(request, "polls/index.html", {"questions": questions})


@require_http_methods(["GET", "HEAD", "POST"])
def vote(request: HttpRequest, number: int) -> HttpResponse:
    question = get_object_or_404(Question, pk=number)
    if request.method != "POST":
        return render(request, "polls/vote.html", {"question": question})
    # Counted by the database: two workers that read, add and write would lose votes.
    counted = question.choices.filter(pk=read_choice(request)).update(votes=F("votes") + 1)
    if not counted:
        return render(request, "polls/vote.html", {"question": question, "error": "Choose one of these."}, status=400)
    return redirect("polls:results", number)


def read_choice(request: HttpRequest) -> int:
    """Return the number of the choice that was sent, or 0, which no choice has."""
    sent = request.POST.get("choice", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else 0


@require_safe
def results(request: HttpRequest, number: int) -> HttpResponse:
    question = get_object_or_404(Question, pk=number)
    choices = list(question.choices.all())
    total = sum(choice.votes for choice in choices)
    return render(request, "polls/results.html", {"question": question, "choices": choices, "total": total})


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    form = QuestionForm(request.POST or None)
    if form.is_valid():
        return redirect("polls:vote", form.save().pk)
    return render(request, "polls/ask.html", {"form": form}, status=400 if form.is_bound else 200)
