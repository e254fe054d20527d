import manifest from '../../package.json' with { type: 'json' };
import type { AddCommand } from './program.ts';

/** The version of this build. */
export const version: string = manifest.version;

/** With the version of the runtime, for people and bug reports. */
export const versionText = `sallyport ${version} (node ${process.version})`;

export const versionCommand: AddCommand = (program, context) => {
  program
    .command('version')
    .description('print the version of Sallyport and of its runtime')
    .addHelpText('after', '\nExample:\n  sallyport version')
    .action(() => context.out(`${versionText}\n`));
};
