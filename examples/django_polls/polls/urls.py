from django.urls import path

from polls import views

app_name = "polls"
urlpatterns = [
    path("", views.index, name="index"),
    path("ask/", views.ask, name="ask"),
    path("<int:number>/", views.vote, name="vote"),
    path("<int:number>/results/", views.results, name="results"),
]
