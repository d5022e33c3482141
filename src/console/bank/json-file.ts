/** The JSON of a file a person chose. @returns undefined when it is none, or longer than `lengthMax` bytes: whoever reads it says what it should have been */
export async function jsonIn(file: File, lengthMax: number): Promise<unknown> {
  if (file.size > lengthMax) return undefined;
  try {
    return JSON.parse(await file.text());
  } catch {
    return undefined;
  }
}
