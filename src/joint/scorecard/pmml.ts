import { chosenOf, pointsOf, type ScorecardFeatureJson, type ScorecardJson } from './document.ts';
import { escaped } from './pictures.ts';

/**
 * The scorecard as PMML 4.4 (https://dmg.org/pmml/v4-4-1/Scorecard.html). Points are whole already, so nothing is rounded.
 * - `platform`: base and the platform's features, what sealed scoring can take (`veilgate model import`): it gives the
 *   score but for the partner's own points, which the partner adds itself
 * - `whole`: the partner's features as well, by the numbers of their bins
 */
export function scorecardPmml(scorecard: ScorecardJson, part: 'platform' | 'whole'): string {
  const features = chosenOf(scorecard).filter(({ side }) => part === 'whole' || side === 'platform');
  const dictionary = features.map((feature) => `    <DataField name="${escaped(fieldOf(feature))}" ${typeOf(feature)}/>`);
  const mining = features.map((feature) => `      <MiningField name="${escaped(fieldOf(feature))}" missingValueTreatment="asIs"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header description="${escaped(`${scorecard.title.en}: project ${scorecard.project}, run ${scorecard.run}`)}"/>
  <DataDictionary numberOfFields="${features.length}">
${dictionary.join('\n')}
  </DataDictionary>
  <Scorecard modelName="${escaped(scorecard.title.en)}" functionName="regression" initialScore="${scorecard.base}" useReasonCodes="false">
    <MiningSchema>
${mining.join('\n')}
    </MiningSchema>
    <Characteristics>
${features.map(characteristic).join('\n')}
    </Characteristics>
  </Scorecard>
</PMML>
`;
}

/** A field of the catalogue, or the partner's own column. */
function fieldOf({ source, name }: ScorecardFeatureJson): string {
  return source ?? name;
}

function typeOf({ encoding }: ScorecardFeatureJson): string {
  if (encoding === null) return 'optype="categorical" dataType="integer"';
  return encoding.kind === 'bins' && 'codes' in encoding ? 'optype="categorical" dataType="string"' : 'optype="continuous" dataType="double"';
}

function characteristic(feature: ScorecardFeatureJson): string {
  const points = pointsOf(feature);
  const attributes = predicatesOf(feature).map((predicate, bin) => `        <Attribute partialScore="${points[bin] ?? 0}">${predicate}</Attribute>`);
  return `      <Characteristic name="${escaped(feature.name)}">\n${attributes.join('\n')}\n      </Characteristic>`;
}

/** One for each bin, in order: bins include their lower edge and not their upper one. */
function predicatesOf(feature: ScorecardFeatureJson): string[] {
  const { encoding, bins } = feature;
  const field = escaped(fieldOf(feature));
  const simple = (operator: string, value: number | string) => `<SimplePredicate field="${field}" operator="${operator}" value="${escaped(String(value))}"/>`;
  if (encoding === null || encoding.kind === 'steps') return bins.map((_, bin) => simple('equal', bin));
  if ('codes' in encoding) return [...encoding.codes.map((code) => simple('equal', code)), '<True/>'];
  const { edges } = encoding;
  return [
    ...[...edges, undefined].map((below, at) => {
      const from = edges[at - 1];
      if (from === undefined) return simple('lessThan', below as number);
      return below === undefined ? simple('greaterOrEqual', from) : `<CompoundPredicate booleanOperator="and">${simple('greaterOrEqual', from)}${simple('lessThan', below)}</CompoundPredicate>`;
    }),
    `<SimplePredicate field="${field}" operator="isMissing"/>`,
  ];
}
