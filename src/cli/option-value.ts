import { hasCode, UpdateRepositoryError } from '../errors.js';

/** Lets `parse` read the value of the option `flag`; a USAGE error gets the option's name in front. */
export function optionValue<T>(flag: string, parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!hasCode(error, 'USAGE')) throw error;
      throw new UpdateRepositoryError('USAGE', `option ${flag}: ${error.message}`, {
        data: error.data,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  };
}
