// `lathe methods`: the cards of the methods with their parameters.
import type { MethodCard, Parameter } from '../../../contract/words/method';
import type { CommandSpec } from '../command';

export const methods: CommandSpec = {
  name: 'methods',
  help: 'the compression methods and their parameters',
  async run(session) {
    const cards = await (await session.client()).methods.list();
    return { document: { methods: cards }, text: cards.map(cardText).join('\n\n') };
  },
};

const cardText = (card: MethodCard) =>
  [`${card.id}  ${card.title} (${card.family})`, `  ${card.help}`, ...card.params.map(parameterText)].join('\n');

function parameterText(parameter: Parameter): string {
  const unit = parameter.unit ? ` ${parameter.unit}` : '';
  return `    ${parameter.id}: ${valuesText(parameter)}${unit}, default ${parameter.default}. ${parameter.help}`;
}

function valuesText(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'choice':
      return parameter.choices.map((choice) => choice.value).join(', ');
    case 'number':
      return `${parameter.min} to ${parameter.max}`;
    case 'switch':
      return 'true or false';
    default:
      return parameter satisfies never;
  }
}
