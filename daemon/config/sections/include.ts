// `include`: further files that belong to the configuration.

import { filePath, oneOrList } from '../values.js';

/** Most entries of one `include`. */
const MAX_ENTRIES = 64;

/** The files and directories. */
export const includeSchema = oneOrList(filePath, MAX_ENTRIES)
  .describe(
    'Further files of this form, or directories of them (their *.yaml in the order of names), relative to this file. Mappings unite, lists append; everything else may stand in one file only.',
  )
  .meta({ examples: ['conf.d'] });
