"""How a report looks: one style sheet, for a screen, a phone and paper."""

INK, GREY, PALE = "#1d1d1f", "#6b6b70", "#e4e4e7"
OURS_COLOUR, PEER_COLOUR, REFERENCE_COLOUR = "#b3122a", "#2b5c8a", "#8a8a90"

STYLE = f"""
:root {{ --ink: {INK}; --grey: {GREY}; --pale: {PALE}; --ours: {OURS_COLOUR}; --peer: {PEER_COLOUR};
  --reference: {REFERENCE_COLOUR}; }}
* {{ box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0; background: #fff; color: var(--ink); font: 17px/1.55 Georgia, "Iowan Old Style", "Times New Roman", serif; }}
main {{ max-width: 74rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }}
h1 {{ font-size: 2rem; line-height: 1.2; font-weight: 500; margin: 0 0 .4rem; letter-spacing: -.01em; }}
h2 {{ font-size: 1.3rem; font-weight: 600; margin: 3.2rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--ink); }}
h3 {{ font: 600 .84rem/1.35 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; margin: 0 0 .1rem; }}
p {{ margin: .5rem 0 .9rem; max-width: 44rem; }}
.lead {{ color: var(--grey); }}
.notice {{ border-left: 3px solid var(--ours); padding: .1rem 0 .1rem .9rem; font-size: .95rem; }}
.small, figcaption, table, .forest, nav, dl {{ font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: .8rem;
  line-height: 1.4; }}
.small, figcaption {{ color: var(--grey); }}
nav {{ margin: 1.2rem 0 0; }} nav a {{ color: var(--ink); margin-right: 1.1rem; white-space: nowrap; display: inline-block; }}
ul.verdict {{ list-style: none; padding: 0; margin: 1rem 0; display: grid; gap: .6rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); }}
ul.verdict table {{ width: auto; margin-top: .3rem; }} ul.verdict td, ul.verdict th {{ white-space: nowrap; }}
ul.verdict li {{ padding: .55rem 0 .55rem 1rem; min-width: 0; border-left: 3px solid var(--reference); }}
ul.verdict li.yes {{ border-color: #2f7d4f; }} ul.verdict li.no {{ border-color: var(--ours); }}
.wide {{ overflow-x: auto; -webkit-overflow-scrolling: touch; margin: .8rem 0; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
caption {{ caption-side: bottom; text-align: left; color: var(--grey); padding-top: .5rem; }}
th, td {{ text-align: right; padding: .36rem .45rem; vertical-align: baseline; border-bottom: 1px solid var(--pale); }}
th {{ font-weight: 500; }} thead th {{ border-bottom: 1px solid var(--ink); vertical-align: bottom; line-height: 1.25; }}
th:first-child, td:first-child, td.words {{ text-align: left; }}
tbody th {{ position: sticky; left: 0; background: #fff; white-space: nowrap; }}
td small {{ display: block; color: var(--grey); font-size: .64rem; white-space: nowrap; }}
tr.ours th, .ours .name {{ color: var(--ours); font-weight: 600; }} tr.reference, .reference .name {{ color: var(--grey); }}
td.best b {{ font-weight: 700; }}
.panels {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.6rem 2.2rem; margin: 1rem 0; }}
.panel {{ break-inside: avoid; min-width: 0; }}
.panel .small {{ margin: 0 0 .45rem; }}
.line {{ display: grid; grid-template-columns: 8.6rem 1fr 3.4rem; gap: .6rem; align-items: center; min-height: 1.4rem; }}
.line .name {{ line-height: 1.15; }}
.line .value {{ text-align: right; font-variant-numeric: tabular-nums; }}
.track {{ position: relative; height: 1rem; border-bottom: 1px solid var(--pale); }}
.track i {{ position: absolute; display: block; background: var(--peer); }}
.track .bar {{ height: 2px; top: calc(50% - 1px); opacity: .55; border-radius: 1px; }}
.track .dot {{ width: 8px; height: 8px; margin-left: -4px; top: calc(50% - 4px); border-radius: 50%; }}
.track .ours {{ background: var(--ours); }} .track .reference {{ background: var(--reference); }}
.track .hollow {{ background: #fff; border: 2px solid var(--peer); }}
.axis {{ display: flex; justify-content: space-between; color: var(--grey); font-size: .68rem; margin: .1rem 4rem 0 9.2rem; }}
.key span {{ white-space: nowrap; margin-right: 1.2rem; }}
.key i {{ display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: .4rem; background: var(--peer); }}
.key i.ours {{ background: var(--ours); }} .key i.hollow {{ background: #fff; border: 2px solid var(--peer); }}
.case {{ margin: 1.6rem 0 2.2rem; break-inside: avoid; }}
.case h3 {{ font-size: .95rem; margin-bottom: .5rem; }}
.pictures {{ display: grid; grid-template-columns: repeat(5, 1fr); gap: .7rem; }}
figure {{ margin: 0; }} figure img {{ display: block; width: 100%; height: auto; background: #000; outline: 1px solid var(--pale); }}
figcaption {{ padding-top: .25rem; font-size: .74rem; }} figure.ours figcaption {{ color: var(--ours); }}
dl {{ display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .35rem 1.2rem; }} dt {{ color: var(--grey); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
footer {{ margin-top: 3rem; border-top: 1px solid var(--pale); padding-top: .8rem; }}
@media (max-width: 40rem) {{
  body {{ font-size: 16px; }} main {{ padding: 1.4rem 1rem 3rem; }} h1 {{ font-size: 1.6rem; }}
  .panels {{ grid-template-columns: 1fr; }} .line {{ grid-template-columns: 7.2rem 1fr 3.2rem; gap: .45rem; }}
  .axis {{ margin: .1rem 3.65rem 0 7.65rem; }} .pictures {{ grid-template-columns: 1fr 1fr; }} dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: .5rem; }}
}}
@media print {{
  @page {{ margin: 16mm 14mm; }} body {{ font-size: 10.5pt; }} main {{ padding: 0; max-width: none; }} nav {{ display: none; }}
  h2, h3 {{ break-after: avoid; }} .wide {{ overflow: visible; }} table {{ font-size: 7pt; }} th, td {{ padding: .2rem .25rem; }}
  .panels {{ grid-template-columns: 1fr 1fr; }} .pictures {{ grid-template-columns: repeat(5, 1fr); }}
}}
"""
