"""A finished run applied to images it has not seen.

predictor  the model, loaded once; the only module here that imports TensorFlow
pictures   dropped files and archives, read with care, one row each whatever they are
classify   the table of answers: class, confidence, probabilities, the set that is likely enough
"""
