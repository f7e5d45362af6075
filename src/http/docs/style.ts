/** The colours of every page, by day and by night. */
export const palette = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f9; --line: #e2e5ea; --text: #1c2128; --dim: #5a6472; --link: #0b62c4;
  --get: #0b62c4; --post: #17803d; --delete: #c0262d; --good: #17803d; --bad: #b4540a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --raised: #171c23; --line: #2a313b; --text: #e4e8ee; --dim: #97a2b0; --link: #6cb0ff;
    --get: #6cb0ff; --post: #58c07f; --delete: #ff7b7f; --good: #58c07f; --bad: #f0a35e;
  }
}
`;

/** The only style sheet of the docs page, which stands in the page itself. */
export const style = `${palette}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .87em; }
code { background: var(--raised); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere; }
pre {
  margin: .5rem 0 0; padding: .8rem 1rem; overflow-x: auto; line-height: 1.5;
  background: var(--raised); border: 1px solid var(--line); border-radius: 8px;
}
pre code { padding: 0; background: none; overflow-wrap: normal; }
.page { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 82rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.6rem 1rem 2rem 1.5rem; border-right: 1px solid var(--line); }
nav .name { font-size: 1.15rem; font-weight: 650; color: var(--text); }
nav .version { color: var(--dim); font-weight: 400; font-size: .85rem; }
nav h2 { margin: 1.4rem 0 .35rem; font-size: .74rem; letter-spacing: .06em; text-transform: uppercase; color: var(--dim); }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li a { display: flex; gap: .5rem; align-items: baseline; padding: .16rem 0; color: var(--text); font-size: .87rem; line-height: 1.35; }
nav .method { flex: 0 0 2.9rem; font-size: .64rem; }
main { padding: 2.2rem 2.5rem 6rem; }
h1 { margin: 0 0 .4rem; font-size: 1.75rem; letter-spacing: -.01em; }
main > section > h2 { margin: 3.2rem 0 0; padding-bottom: .4rem; font-size: 1.25rem; border-bottom: 1px solid var(--line); }
h3 { margin: 0; font-size: 1.02rem; font-weight: 600; }
h4 { margin: 1.1rem 0 .3rem; font-size: .74rem; letter-spacing: .06em; text-transform: uppercase; color: var(--dim); }
p { margin: .35rem 0; max-width: 46rem; }
.lead { color: var(--dim); max-width: 46rem; }
article { padding: 1.7rem 0 1.5rem; border-bottom: 1px solid var(--line); }
article:last-child { border-bottom: 0; }
.route { display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; margin-top: .3rem; }
.route code { font-size: .9rem; background: none; padding: 0; }
.method { font: 650 .74rem/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.GET { color: var(--get); } .POST { color: var(--post); } .DELETE { color: var(--delete); }
.open { font-size: .74rem; color: var(--dim); border: 1px solid var(--line); border-radius: 99px; padding: .05rem .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .9rem .4rem 0; vertical-align: top; text-align: left; border-top: 1px solid var(--line); }
tr:first-child > td { border-top: 0; }
td:first-child { width: 11rem; white-space: nowrap; }
td:first-child code { overflow-wrap: normal; }
.type { color: var(--dim); font-size: .87em; }
.required { color: var(--bad); font-size: .8em; }
td:last-child p { margin: 0; }
.status { font: 600 .87rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--bad); }
.status.good { color: var(--good); }
details { margin-top: .8rem; }
summary { cursor: pointer; color: var(--dim); font-size: .87rem; }
summary:hover { color: var(--text); }
@media (max-width: 60rem) {
  .page { display: block; }
  nav { position: static; height: auto; max-height: 45vh; padding: 1.3rem 1.2rem; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1.5rem 1.2rem 4rem; }
  tr { display: flex; flex-wrap: wrap; gap: .1rem .8rem; padding: .5rem 0; border-top: 1px solid var(--line); }
  tr:first-child { border-top: 0; }
  td { padding: 0; border-top: 0; }
  td:first-child { width: auto; }
  td:last-child { flex: 1 0 100%; }
}
@media print { nav { display: none; } .page { display: block; } details > * { display: block; } }
`;
