// Tells small tales of a workshop, by chance and by a grammar of ours: text to train and to try a language model on.

const heroes = ['Ada', 'Ben', 'Cora', 'Dov', 'Edda', 'Finn', 'Greta', 'Hugo', 'Ida', 'Jon', 'Kaja', 'Leo'];
const hers = new Set(['Ada', 'Cora', 'Edda', 'Greta', 'Ida', 'Kaja']);
const friends = ['her aunt', 'his aunt', 'the baker', 'the old smith', 'a neighbour', 'the teacher', 'a small dog'];
const places = [
  'in the shed',
  'by the river',
  'in the attic',
  'behind the mill',
  'at the harbour',
  'under the oak tree',
];
const times = [
  'One morning',
  'One evening',
  'Early in spring',
  'On a rainy day',
  'Late in autumn',
  'On the first warm day',
];

/** What is made, of what, with which tool, and what that tool does. */
const works = [
  { thing: 'a boat', stuff: 'pine', tool: 'a saw', did: 'cut', flaw: 'it leaked', use: 'sailed across the pond' },
  {
    thing: 'a bowl',
    stuff: 'ash wood',
    tool: 'a lathe',
    did: 'turned',
    flaw: 'it wobbled',
    use: 'was filled with plums',
  },
  {
    thing: 'a kite',
    stuff: 'paper',
    tool: 'a pair of scissors',
    did: 'cut',
    flaw: 'it tore',
    use: 'rose above the roofs',
  },
  { thing: 'a lamp', stuff: 'copper', tool: 'a hammer', did: 'bent', flaw: 'it flickered', use: 'lit the whole room' },
  {
    thing: 'a bench',
    stuff: 'oak',
    tool: 'a plane',
    did: 'smoothed',
    flaw: 'one leg was short',
    use: 'held three people',
  },
  {
    thing: 'a bell',
    stuff: 'bronze',
    tool: 'a mould',
    did: 'cast',
    flaw: 'it made no sound',
    use: 'rang over the hills',
  },
  {
    thing: 'a basket',
    stuff: 'willow',
    tool: 'a knife',
    did: 'split',
    flaw: 'it had a hole',
    use: 'carried the apples home',
  },
  {
    thing: 'a clock',
    stuff: 'brass',
    tool: 'a file',
    did: 'shaped',
    flaw: 'it ran too fast',
    use: 'told the right hour',
  },
];
const wishes = ['wanted to make', 'decided to make', 'had promised to make', 'dreamed of making'];
const feelings = ['was not sad', 'did not give up', 'laughed', 'thought for a while', 'sat down and looked at it'];
const advice = [
  ['"Go slower," said', 'worked slowly'],
  ['"Measure twice," said', 'measured twice'],
  ['"Try it again," said', 'tried again'],
  ['"Use less of it," said', 'used less of it'],
  ['"Look at it closely," said', 'looked closely'],
];
const ends = [
  'Everyone was glad.',
  'That was a good day.',
  'They all clapped.',
  'And nobody went to bed early.',
  'It still works today.',
];

/** One tale of five to eight sentences. Names, pronouns, stuff and tool stay the same throughout. */
function tale(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const hero = pick(heroes);
  const isHer = hers.has(hero);
  const [he, his] = isHer ? ['she', 'her'] : ['he', 'his'];
  const He = isHer ? 'She' : 'He';
  const { thing, stuff, tool, did, flaw, use } = pick(works);
  const the = thing.replace(/^an? /, 'the ');
  const theTool = tool.replace(/^an? /, 'the ');
  const friend = pick(friends.filter((one) => !one.startsWith(isHer ? 'his' : 'her')));
  const [said, heeded] = pick(advice);
  const made = pick(wishes);
  const sentences = [
    `${pick(times)} ${hero} ${made} ${thing} ${pick(places)}.`,
    pick([
      `${He} had ${stuff} and ${tool}.`,
      `${He} took ${stuff} and ${tool}.`,
      `There was ${stuff}, and there was ${tool}.`,
    ]),
    `With ${theTool} ${he} ${did} the ${stuff}${pick(['', ' all day', ' until noon', ' with care'])}.`,
  ];
  if (random() < 0.75) {
    sentences.push(`But when ${the} was done, ${flaw}.`);
    if (random() < 0.6) sentences.push(`${hero} ${pick(feelings)}.`);
    sentences.push(`${said} ${friend}.`, `So ${he} ${heeded}, and took ${his} ${theTool.slice(4)} once more.`);
  }
  sentences.push(`In the end ${the} ${use}.`);
  if (random() < 0.7) sentences.push(pick(ends));
  return sentences.join(' ');
}

export function tellMany(count, random) {
  return Array.from({ length: count }, () => tale(random));
}
