"""Judging a run: how good, where wrong, whether it will hold, whether it can be believed, why. From arrays and files.

    evaluate, reading, job      a run judged on what it kept aside, or on another labelled source in a job
    verdict                     clean beside shifted in one sentence
    metrics, scores             figures from a confusion matrix; the seven that stand for a run, with intervals
    ordering, slices, kinds     classes by similarity; the accuracy of kinds of images, by light and focus among
                                others, which `measures` measures once
    mistakes                    right, wrong, unsure; labels that look wrong

    suite                       a run under all corruptions, a job: `corrupting` draws, `suite_folder` knows where it
                                lies, `suite_result` reads what is through, `robustness` has its figures and the
                                benchmark's
    safety                      how strong a pipeline may be before a run loses its way
    target                      unlabelled images from elsewhere, a job. `target_source` reads both sides,
                                `target_measures` and `target_distance` say how far they lie, `target_cover` what would
                                cover that, of what `target_tried` draws, `target_answers` what the run says,
                                `target_rank` what to label first; `target_compare` puts it together, `target_table`
                                hands it on

    calibration, conformal,     whether probabilities mean what they say, sets that keep a promise, handing over the
    rejection                   least sure; what is fitted is fitted in `runs.calibration`
    occlusion, neighbours,      an answer with parts hidden, the nearest training cells, all images on a plane; Grad-CAM
    plane                       and features are `classify`'s

    compare, effect             runs on images that none has learned from; a pair before and after the decisions
    report, card                one HTML file and a model card, from the same `facts`: `report_html` are its pieces,
                                `report_judged`, `report_trust` and `report_origin` its sections

All of it works on NumPy arrays and on what runs and jobs have written; where a network has to be asked, a predictor is
handed in, or imported (and with it TensorFlow) inside the function that needs it. docs/evaluation.md says what
each figure means and where its definition comes from.
"""
