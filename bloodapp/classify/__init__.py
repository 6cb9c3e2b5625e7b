"""A finished run applied to images it has not seen.

predictor  the model, loaded once; imports TensorFlow
explain    where its network looks: Grad-CAM; imports TensorFlow
features   what its network sees in the images of its dataset, kept on disk by a job
unfolding  features on a plane that keeps neighbours together
pictures   dropped files and archives, read with care, one row each whatever they are
classify   the table of answers: class, confidence, probabilities, the set that is likely enough
"""
