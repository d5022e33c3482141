import { answerFileLengthMax, answerFileOf, type AnswerFile } from '../sdk/answer-file.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { readJson } from './secret-file.ts';

/** Errors: CONFIG_INVALID, with the file's name. */
export function readAnswerFile(file: string): AnswerFile {
  const content = readJson(file, answerFileLengthMax);
  try {
    return answerFileOf(content);
  } catch (error) {
    throw isVeilgateError(error) ? new VeilgateError(error.code, error.message, { file }) : error;
  }
}
