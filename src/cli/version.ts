import manifest from '../../package.json' with { type: 'json' };
import { addExamples } from './examples.ts';
import type { AddCommand } from './program.ts';

/** The version of this build. */
export const version: string = manifest.version;

/** With the version of the runtime, for people and bug reports. */
export const versionText = `sallyport ${version} (node ${process.version})`;

export const versionCommand: AddCommand = (program, context) => {
  const command = program
    .command('version')
    .description('print the version of Sallyport and of its runtime')
    .action(() => context.out(`${versionText}\n`));
  addExamples(command, program, ['version']);
};
