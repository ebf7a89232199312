// The link's secret stands behind the #: it reaches this script, and neither a server's log nor another site.
const link = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const form = document.querySelector("#form");
const message = document.querySelector("#message");
const emailField = document.querySelector("#email-field");
const WELCOME = {
  setup: "Nobody can log in yet. You become the first administrator.",
  invitation: "You were invited. Choose a password.",
  reset: "Choose a new password. Your second factors are removed; enrol new ones afterwards.",
};

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (response.ok) return answer;
  const reasons = (answer.errors ?? []).map((each) => each.message);
  throw new Error([answer.detail, ...reasons, answer.remedy].filter(Boolean).join(". "));
}

async function begin() {
  const { kind, email, name } = await post("/links/look", { link });
  message.textContent = email === null ? WELCOME[kind] : `${WELCOME[kind]} (${email})`;
  emailField.hidden = kind !== "setup";
  form.elements.email.required = kind === "setup";
  form.elements.name.value = name ?? "";
  form.hidden = false;
}

async function redeem() {
  const { email, name, password } = Object.fromEntries(new FormData(form));
  const body = { link, name, password, ...(email ? { email } : {}) };
  const { user } = await post("/links/redeem", body);
  form.hidden = true;
  message.textContent = `Welcome, ${user.name}. You are logged in; on a terminal, use: mainstay login`;
}

const show = (error) => (message.textContent = error.message);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  redeem().catch(show);
});
begin().catch(show);
