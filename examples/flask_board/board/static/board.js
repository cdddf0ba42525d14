// Shows each new message as it comes. The server sends the finished HTML, so nothing here draws a message.
const list = document.getElementById("messages");
const live = document.getElementById("live");
const events = new EventSource(list.dataset.events);

events.onopen = () => {
  live.textContent = "Live";
  live.classList.add("on");
};
events.onerror = () => {
  live.textContent = "Reconnecting…";
  live.classList.remove("on");
};
events.onmessage = (event) => {
  if (document.getElementById(`message-${event.lastEventId}`)) return;
  list.insertAdjacentHTML("afterbegin", event.data);
  list.firstElementChild.classList.add("new");
};
