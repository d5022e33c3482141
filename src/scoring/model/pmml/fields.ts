import type { Feature } from '../../protocol.ts';
import { attributeOf, childOf, childrenOf, refusedFile, type XmlElement } from './xml.ts';

/** The fields a file speaks of, and the features of this platform that are made from them. */
export type FileFields = {
  /** Features of a field, by its name in the file: `dataset.field`, or the field's own name where only one dataset has it. */
  readonly featuresOf: (name: string, place: XmlElement) => readonly Feature[];
  /** True when the file declares the field as whole numbers. */
  readonly isInteger: (name: string) => boolean;
};

/** Errors: MODEL_FILE_REFUSED for files that change values before they use them. */
export function fileFields(pmml: XmlElement, model: XmlElement, features: Iterable<Feature>): FileFields {
  for (const place of [childOf(pmml, 'TransformationDictionary'), childOf(model, 'LocalTransformations')]) {
    if (place !== undefined && place.children.length > 0) throw refusedFile('Transformed fields cannot be computed on encrypted values', place);
  }
  const types = new Map(childrenOf(childOf(pmml, 'DataDictionary') ?? pmml, 'DataField').map((field) => [attributeOf(field, 'name'), field.attributes['dataType']]));
  for (const field of childrenOf(childOf(model, 'MiningSchema') ?? model, 'MiningField')) {
    const { missingValueReplacement, outliers } = field.attributes;
    if (missingValueReplacement !== undefined) throw refusedFile('Missing values are replaced as the feature declares, not as the file says', field);
    if (outliers !== undefined && outliers !== 'asIs') throw refusedFile('Values beyond a range are refused, never moved into it', field);
  }
  const byName = new Map<string, Map<string, Feature[]>>();
  for (const feature of features) {
    for (const name of [feature.source, feature.source.slice(feature.source.indexOf('.') + 1)]) {
      const bySource = byName.get(name) ?? new Map<string, Feature[]>();
      bySource.set(feature.source, [...(bySource.get(feature.source) ?? []), feature]);
      byName.set(name, bySource);
    }
  }
  return {
    isInteger: (name) => types.get(name) === 'integer',
    featuresOf(name, place) {
      const [only, another] = [...(byName.get(name)?.values() ?? [])];
      if (only === undefined) throw refusedFile('A field is used of which this platform has no feature', place);
      if (another !== undefined) throw refusedFile('A field is used that several datasets have: name it dataset.field', place);
      return only;
    },
  };
}
