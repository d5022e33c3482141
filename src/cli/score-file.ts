import { VeilgateError, isVeilgateError } from '../errors.ts';
import { scoreFileLengthMax, scoreFileOf, type ScoreFile } from '../sdk/score-file.ts';
import { readJson } from './secret-file.ts';

/** Errors: CONFIG_INVALID, with the file's name. */
export function readScoreFile(file: string): ScoreFile {
  const content = readJson(file, scoreFileLengthMax);
  try {
    return scoreFileOf(content);
  } catch (error) {
    throw isVeilgateError(error) ? new VeilgateError(error.code, error.message, { file }) : error;
  }
}
