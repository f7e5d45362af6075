import { createHash } from 'node:crypto';
import { palette } from './style.ts';

const style = `${palette}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.2rem; background: var(--ground); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
form { width: 100%; max-width: 24rem; padding: 1.8rem; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 .2rem; font-size: 1.25rem; }
p { margin: 0 0 1.2rem; color: var(--dim); }
label { display: block; margin-bottom: .3rem; font-weight: 600; }
input {
  width: 100%; padding: .55rem .7rem; font: inherit; color: var(--text); background: var(--ground);
  border: 1px solid var(--line); border-radius: 8px;
}
button {
  width: 100%; margin-top: 1rem; padding: .6rem; font: inherit; font-weight: 600; color: var(--ground); background: var(--link);
  border: 0; border-radius: 8px; cursor: pointer;
}
button:disabled { opacity: .6; cursor: default; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
[role=alert] { min-height: 1.55em; margin: .8rem 0 0; color: var(--bad); }
`;

// The token goes in a header, as from any client: into no address, no form and no storage of the browser's.
const script = `
const form = document.forms[0];
const say = (text) => { document.querySelector('[role=alert]').textContent = text; };
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  say('');
  try {
    const headers = { Authorization: 'Bearer ' + form.token.value.trim() };
    const answer = await fetch(form.dataset.session, { method: 'POST', headers });
    if (answer.ok) return location.reload();
    say(answer.status === 401 ? 'That is not the token.' : (await answer.json()).detail);
  } catch {
    say('The server could not be asked. Is that the token, and is the server there?');
  }
  button.disabled = false;
  form.token.select();
});
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What the browser may do on the page: run this script, which may ask this server alone. */
export const signInPolicy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** A page on which a person gives the token, and gets the cookie for it. `basePath` is of characters that HTML takes as they are. */
export function signInPage(basePath: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to Redrive</title>
<style>${style}</style>
</head>
<body>
<form data-session="${basePath}/api/v1/session">
<h1>Redrive</h1>
<p>This server asks for its token.</p>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
<p role="alert"><noscript>Signing in takes JavaScript. Programs send the header Authorization: Bearer TOKEN.</noscript></p>
</form>
<script>${script}</script>
</body>
</html>
`;
}
