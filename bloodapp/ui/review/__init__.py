"""The body of the Review page, one module a view or a part of one.

page         the views, and which of them is shown
queue, cards, filters, keeping, rules, thresholds     the queue of findings
closer, group                                         a closer look at a card, side by side or to choose images
gallery      many pictures at once, decided about by keys; a folder of its own
plane, map   every image as a point: drawn around, pointed at, walked through by keys
labelling    images without a label, a second reader, agreement; a folder of its own
around, ends, like                                    looking around
ledger, ledger_rows, log, replay                      what was decided
planting, scoreboard, verdicts                        what the detectors find of what is known
effect, effect_result                                 did it help?
acts         what the buttons do: record, undo, say so; `answers` and journal.js do so for what runs in the browser
reading      what the scan found, read once for all views; `predicted` what a run says
pictures     what a picture looks like on this page
"""
