import type { ToolMessages } from './zh'

export const toolsEn: ToolMessages = {
  slides: {
    label: 'Slides {title}, page {page} of {pages}', loading: 'Opening the slides…', failed: 'The slides do not open',
    failedTodo: 'Sound and picture go on.',
  },
  countdown: { left: 'Time left', groups: 'Group work', over: 'Time is up' },
  quiz: {
    kind: { single: 'One answer', multiple: 'Several answers', judge: 'True or false', number: 'A number' },
    yes: 'True', no: 'False', right: 'Right', wrong: 'Wrong', answer: 'Answer', isRight: 'right',
    question: 'Question {n}', result: 'Everybody’s result', none: 'No answers yet', people: '{n}', closed: 'Closed', open: 'Open',
    homes: 'Home', missing: 'No tally yet: {rooms}', allTold: 'All rooms have told',
    hold: 'Show hands or cards; your assistant counts', pick: 'Tap your answer', left: '{time} left',
  },
  pulse: {
    title: 'Signals', none: 'No signals', of: '{n}/{of} rooms', back: 'Got it', rooms: '{rooms}',
    kind: {
      cannot_hear: 'Can’t hear', cannot_see: 'Can’t see', slower: 'Slower', faster: 'Faster',
      unclear: 'Unclear', done: 'Done', ready: 'Ready', help: 'Need help',
    },
  },
}
