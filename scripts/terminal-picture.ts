/** What a terminal shows, as an SVG: text of a command with its colours (SGR codes), one line of text a line. */
export function terminalPicture(command: string, output: string): string {
  const lines = [`\u001b[2m$\u001b[22m ${command}`, ...output.replace(/\n+$/, '').split('\n')];
  const columns = Math.max(...lines.map((line) => plain(line).length));
  const width = Math.ceil(columns * advance + 2 * margin);
  const height = Math.ceil(lines.length * lineHeight + 2 * margin);
  const texts = lines.map((line, index) => drawLine(line, margin + (index + 0.75) * lineHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(`${command}: ${plain(lines.at(-1) ?? '')}`)}">
<rect width="100%" height="100%" rx="8" fill="#161615"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#ecece8">
${texts.filter((text) => text !== '').join('\n')}
</g>
</svg>
`;
}

const advance = 8.43;
const lineHeight = 20;
const margin = 20;

const colors: Record<number, string> = { 31: '#ff8a65', 32: '#4cc79d', 33: '#f0b43c', 34: '#4aa3df', 36: '#7cc0f2' };

interface Style {
  bold: boolean;
  dim: boolean;
  color: string | null;
}

/** A run of one style is placed by its column, so that columns stay aligned in whatever font is there. */
function drawLine(line: string, y: number): string {
  const style: Style = { bold: false, dim: false, color: null };
  let column = 0;
  let drawn = '';
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) {
      for (const code of codes.split(';')) apply(style, Number(code));
    } else if (part !== '') {
      const x = (margin + column * advance).toFixed(1);
      const length = (part.length * advance).toFixed(1);
      const attributes = [
        style.bold ? ' font-weight="700"' : '',
        style.dim ? ' fill-opacity="0.65"' : '',
        style.color === null ? '' : ` fill="${style.color}"`,
      ].join('');
      drawn += `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${attributes}>${escapeXml(part).replaceAll(' ', '\u00a0')}</text>`;
      column += part.length;
    }
  }
  return drawn;
}

function apply(style: Style, code: number): void {
  if (code === 0) Object.assign(style, { bold: false, dim: false, color: null });
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 22) Object.assign(style, { bold: false, dim: false });
  else if (code === 39) style.color = null;
  else style.color = colors[code] ?? style.color;
}

function plain(line: string): string {
  return line.replace(/\u001b\[[0-9;]*m/g, '');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
