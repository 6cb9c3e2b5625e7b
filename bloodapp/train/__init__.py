"""Training: recipes declared once, the networks, the feed, the fit, and series of fits.

What pages and command line use, and what knows no TensorFlow:

    recipe, recipes, settings   a recipe's fields; those that ship; checked, written, read
    head, phases, calls         its small languages
    networks, published, start  what a network is, where its weights are, what a training may start from
    parts, weighing             who trains, chooses and is read once; what an image of a class counts
    launch, effect              a run folder and its job; before and after the decisions
    onward                      on what is labelled so far, from the run that proposed it
    series, voting, search      folds, repeats and the trials of a search, one job each, of one `part` after another
    members                     finished runs put together: which go together, judged on what, how much slower
    forecast, costs, finder     what a training will cost; which learning rate to take
    measurements                what is measured with, and the files that keep it
    reproduce, versions         the same again, and whether it came to the same
    course, schedules, blocks   where a training stands, its learning rate, its order of images: plain numbers
    shortage                    memory or disk that ran out, in words

What is imported in the child process that works:

    models                      the whole network: `scratch`, `mobilenetv3`, `convnext`, `applications`, with `weights`
    fit                         the training: `feed` and `copies` give images, `learning` begins a phase with what
                                `optimizers` and `devices` say, `callback` reports, `average` and `judge` look on,
                                `checkpoint` keeps each epoch, `results` writes the end
    ensemble                    several networks as one, turned and mirrored too; `combine` makes a run of it
    cost, rates, speed          real steps, to measure
"""
