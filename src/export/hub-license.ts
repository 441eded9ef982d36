/** Licence ids that the hub accepts in a card (its documentation, "Licenses"), as far as datasets carry them. */
const known = new Set(
  `apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0
  cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
  cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
  cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl
  lgpl-2.1 lgpl-3.0 isc ms-pl mpl-2.0 odc-by odbl openrail osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl llama2 llama3
  llama3.1 llama3.2 llama3.3 llama4 gemma unknown other`.split(/\s+/),
);

/** The rows' licences as the hub's ids, sorted: one that it does not know is `other`, none stated is `unknown`. */
export function hubLicenses(licenses: string[]): string[] {
  const ids = licenses.map((license) => {
    const id = license
      .trim()
      .toLowerCase()
      .replaceAll(/[\s_]+/g, '-')
      .replace(/^cc-?(?=by|0)/, 'cc')
      .replace(/^ccby/, 'cc-by');
    if (id === '') return 'unknown';
    const spelled = [id, id.replace(/-(only|or-later)$/, ''), id.replace(/^(apache)-2$/, '$1-2.0')];
    return spelled.find((each) => known.has(each)) ?? 'other';
  });
  return ids.length === 0 ? ['unknown'] : [...new Set(ids)].sort();
}
