/** The page's one style sheet. Colours: Okabe and Ito's set, which stays apart for every kind of colour vision. */
export const style = `
:root{color-scheme:light dark;--paper:#fdfdfc;--raised:#f4f4f1;--ink:#1c1c1a;--faint:#5c5c57;--line:#dcdcd6;--accent:#0b5c94;
--kept:#0072b2;--gone:#d55e00;--other:#b9b9b2;--good:#00704f;--bad:#b03a00;--mark:#ffe29a;--mark-ink:#1c1c1a;
--source-0:#0072b2;--source-1:#009e73;--source-2:#e69f00;--source-3:#56b4e9;--source-4:#cc79a7;--source-5:#8a8100;--source-6:#8c8c86}
@media (prefers-color-scheme:dark){:root{--paper:#161615;--raised:#20201e;--ink:#ecece8;--faint:#a9a9a2;--line:#3a3a36;--accent:#7cc0f2;
--kept:#4aa3df;--gone:#f08a3c;--other:#5b5b56;--good:#4cc79d;--bad:#ff9d66;--mark:#6b5310;--mark-ink:#fff6dd;
--source-0:#4aa3df;--source-1:#2fbf95;--source-2:#f0b43c;--source-3:#9ad4f7;--source-4:#e39cc6;--source-5:#c6bd3a;--source-6:#8c8c86}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:3.5rem}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:break-word}
main,header.top,footer{max-width:62rem;margin:0 auto;padding:0 1.25rem}
header.top{padding-top:2.25rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .35rem;letter-spacing:-.01em}
h2{font-size:1.35rem;margin:3rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line);letter-spacing:-.005em}
h3{font-size:1.05rem;margin:1.9rem 0 .5rem}
h4{font-size:.95rem;margin:1.3rem 0 .4rem;color:var(--faint);font-weight:600}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.lead{font-size:1.1rem;color:var(--faint);margin:0 0 1.4rem}
nav{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--line);z-index:1;margin-top:1.2rem}
nav ul{display:flex;gap:0 1.1rem;overflow-x:auto;list-style:none;margin:0 auto;padding:.55rem 1.25rem;max-width:62rem;font-size:.92rem}
nav a{white-space:nowrap;text-decoration:none;display:block;padding:.15rem 0}
nav a:hover{text-decoration:underline}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem;list-style:none;margin:0;padding:0}
.tiles li{background:var(--raised);border:1px solid var(--line);border-radius:.6rem;padding:.85rem 1rem;border-left:.3rem solid var(--kept)}
.tiles li.doubtful{border-left-color:var(--gone)}
.tiles b{display:block;font-size:1.75rem;line-height:1.2;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tiles span{display:block}
.tiles small{color:var(--faint);font-size:.9rem}
#before h2{border:0;margin-top:1.6rem;padding:0}
.notes{list-style:none;margin:0;padding:0;max-width:50rem}
.notes li{padding:.3rem 0 .3rem 1.9rem;position:relative}
.notes li::before{position:absolute;left:.2rem;font-weight:700}
.notes .good::before{content:"✓";color:var(--good)}
.notes .mind::before{content:"•";color:var(--faint)}
.notes .bad::before{content:"!";color:var(--bad)}
figure{margin:.6rem 0 1rem}
figcaption{color:var(--faint);font-size:.92rem;max-width:46rem}
.plot{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);overflow:visible}
.plot text{white-space:pre}
.narrow{display:none}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.3rem 0 1rem;padding:0;font-size:.92rem}
.legend li::before{content:"";display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin-right:.4rem;vertical-align:-.05rem;background:var(--c)}
.legend .outlined::before{background:color-mix(in srgb,var(--c) 20%,transparent);box-shadow:inset 0 0 0 1.5px var(--c)}
.kept{--c:var(--kept)}.gone{--c:var(--gone)}.other{--c:var(--other)}
.source-0{--c:var(--source-0)}.source-1{--c:var(--source-1)}.source-2{--c:var(--source-2)}.source-3{--c:var(--source-3)}
.source-4{--c:var(--source-4)}.source-5{--c:var(--source-5)}.source-6{--c:var(--source-6)}
.scroll{overflow-x:auto;margin:.9rem 0 1.2rem;max-width:100%}
table{border-collapse:collapse;font-size:.92rem;min-width:min(100%,24rem)}
caption{text-align:left;font-weight:600;padding-bottom:.35rem}
th,td{padding:.35rem .8rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--faint);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500}
tbody th small{display:block;color:var(--faint);font-size:.95em;font-weight:400;max-width:32rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.n:last-child,th.n:last-child{padding-right:.2rem}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:0 2rem;align-items:start}
.columns table{width:100%}
.cards{list-style:none;margin:.5rem 0;padding:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:.8rem}
.cards>li{background:var(--raised);border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem;min-width:0}
.cards ol{margin:.3rem 0 0;padding-left:1.2rem;font-size:.92rem}
.head{margin:0}
.meta{color:var(--faint);font-size:.88rem}
code,pre{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}
details{border:1px solid var(--line);border-radius:.6rem;margin:.5rem 0;background:var(--raised)}
summary{padding:.55rem .9rem;cursor:pointer;overflow-wrap:anywhere}
summary .meta{display:block;padding-left:1.1rem}
details>dl,details>.scroll,details>div{padding:0 .9rem .8rem;margin:0}
dt{color:var(--faint);font-size:.85rem;font-weight:600;margin-top:.6rem}
dd{margin:0}
dd.text,.side{white-space:pre-wrap;overflow-wrap:anywhere}
.none,.more{color:var(--faint)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:.4rem 1.2rem}
.pair>div{min-width:0}
.side-name{margin:.4rem 0 .2rem;font-size:.85rem;color:var(--faint);font-weight:600}
td small{display:block;color:var(--faint);white-space:normal}
mark{background:var(--mark);color:var(--mark-ink);border-radius:.15rem}
footer{color:var(--faint);font-size:.9rem;padding-top:2rem;padding-bottom:3rem}
@media (max-width:50rem){.wide{display:none}.narrow{display:block}.pair{grid-template-columns:1fr}h1{font-size:1.55rem}
.tiles{grid-template-columns:1fr 1fr}.tiles b{font-size:1.35rem}.tiles li{padding:.6rem .7rem}main,header.top,footer{padding-left:1rem;padding-right:1rem}}
@media (max-width:22rem){.tiles{grid-template-columns:1fr}}
@media print{nav{display:none}details{break-inside:avoid}}
`;
